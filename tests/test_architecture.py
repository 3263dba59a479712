"""Draws the map of the house: lower rooms never import higher ones."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

import seqclf
from seqclf.cli.commands import COMMANDS

ROOT = Path(seqclf.__file__).parent

# From the ground up. A room may import its own floor's wing and every lower floor.
FLOORS = [
    ["seqclf"],
    ["seqclf.private"],
    [
        "seqclf.errors",
        "seqclf.system",
        "seqclf.versions",
        "seqclf.installed",
        "seqclf.cells",
        "seqclf.poolings",
        "seqclf.wording",
        "seqclf.about_studies",
    ],
    [
        "seqclf.config",
        "seqclf.storage",
        "seqclf.engine",
        "seqclf.notes",
        "seqclf.offline",
    ],
    ["seqclf.records"],
    [
        "seqclf.data",
        "seqclf.metrics",
        "seqclf.statistics",
        "seqclf.keywords",
        "seqclf.unsure",
    ],
    ["seqclf.several"],
    ["seqclf.text", "seqclf.marker"],
    ["seqclf.runs", "seqclf.model", "seqclf.cluster"],
    ["seqclf.linear", "seqclf.start"],
    ["seqclf.classifier"],
    ["seqclf.training"],
    [
        "seqclf.evaluation",
        "seqclf.bulk",
        "seqclf.explain",
        "seqclf.export",
        "seqclf.suspects",
        "seqclf.yardstick",
    ],
    ["seqclf.comparison", "seqclf.machine"],
    ["seqclf.report", "seqclf.estimator"],
    ["seqclf.steps"],
    ["seqclf.studies", "seqclf.classroom", "seqclf.trackers", "seqclf.serve"],
    ["seqclf.workflows"],
    ["seqclf.api"],
    ["seqclf.cli"],
    ["seqclf.__main__"],
]
HEAVY = {
    "keras", "tensorflow", "sklearn", "scipy", "datasets", "pandas", "pyarrow", "onnx",
    "onnxruntime", "matplotlib", "jinja2", "msgspec", "starlette", "uvicorn",
    "ray", "submitit",
}  # fmt: skip


def room_of(module: str) -> str:
    rooms = [room for floor in FLOORS for room in floor]
    fitting = [r for r in rooms if module == r or module.startswith(r + ".")]
    assert fitting, f"{module} has no room in FLOORS"
    return max(fitting, key=len)


def floor_of(module: str) -> int:
    room = room_of(module)
    return next(i for i, floor in enumerate(FLOORS) if room in floor)


@functools.cache
def modules() -> dict[str, Path]:
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports(path: Path) -> set[str]:
    """Returns the project's modules that a file imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
            names.add(node.module)
    return {name for name in names if name in modules()}


ALL = modules()


# The front door names what lies above, and opens it when it is asked for.
@pytest.mark.parametrize("module", sorted(set(ALL) - {"seqclf"}))
def test_no_arrow_points_upward(module):
    for imported in imports(ALL[module]) - {"seqclf"}:
        if room_of(imported) != room_of(module):
            assert floor_of(imported) < floor_of(module), f"{module} -> {imported}"


def test_the_map_is_drawn_from_real_arrows():
    assert "seqclf.text.tokens" in imports(ALL["seqclf.text.vocabulary"])
    assert "seqclf.training.fit" in imports(ALL["seqclf.training.trial"])


def imported_by(arguments: list[str]) -> set[str]:
    """Returns the heavy packages that a command line loads."""
    code = (
        "import sys\n"
        "from seqclf.cli import command_line\n"
        "try:\n    command_line()(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print('LOADED', *{name.split('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    loaded = done.stdout.rsplit("LOADED", 1)[1].split()
    return set(loaded) & HEAVY


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["train", "--help"], ["compare", "--help"], ["predict", "--help"],
     ["export", "--help"], ["study", "gates", "--help"], ["--version"],
     ["train", "--cell=transformer"]],
)  # fmt: skip
def test_help_and_wrong_options_load_nothing_heavy(arguments):
    assert imported_by(arguments) == set()


@pytest.mark.parametrize(
    ("arguments", "own"),
    [(["predict", "--help"], {"predict"}), (["runs", "list"], {"runs"}),
     (["wrong"], set(COMMANDS)), (["--help"], set(COMMANDS))],
)  # fmt: skip
def test_a_command_does_not_import_the_others(arguments, own, tmp_path):
    code = (
        "import sys\n"
        "from seqclf.cli import commands\n"
        "commands._leave_at_once = lambda code: print('LOADED', *sys.modules)\n"
        f"sys.argv = ['seqclf', *{arguments}]\n"
        "commands.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        check=True,
    )
    loaded = done.stdout.rsplit("LOADED", 1)[1].split()
    modules = {f"seqclf.cli.{COMMANDS[name][0]}" for name in COMMANDS}
    assert modules & set(loaded) == {f"seqclf.cli.{COMMANDS[name][0]}" for name in own}


def test_the_front_door_opens_when_it_is_asked_for():
    code = (
        "import sys, seqclf\n"
        "assert set(seqclf.__all__) <= set(dir(seqclf))\n"
        "names = [name.split('.')[0] for name in sys.modules]\n"
        "print(sum(name == 'seqclf' for name in names), *names)\n"
        "for name in seqclf.__all__:\n"
        "    assert getattr(seqclf, name).__module__.startswith('seqclf.'), name\n"
        "assert not hasattr(seqclf, 'nonsense')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    own, *names = done.stdout.split()
    assert own == "1"
    assert not set(names) & HEAVY


def test_the_check_for_heavy_packages_can_fail():
    assert "pyarrow" in imported_by(["data", "list"])


FOR_THE_COMMAND_LINE = {"print", "input", "exit", "sys.exit", "sys.stdout.write"}


def test_only_the_command_line_prints_and_exits():
    for module, path in ALL.items():
        if not module.startswith(("seqclf.cli", "seqclf.__main__")):
            assert not calls(path.read_text("utf-8")) & FOR_THE_COMMAND_LINE, module


def calls(source: str) -> set[str]:
    nodes = ast.walk(ast.parse(source))
    return {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}


def test_the_search_for_calls_can_find_them():
    assert calls("import sys\nsys.exit(print(1))") == {"sys.exit", "print"}
