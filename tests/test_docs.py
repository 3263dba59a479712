from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from seqclf.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = [
    "train", "compare", "predict", "evaluate", "export", "data list", "data show",
    "runs list", "runs show", "runs remove", "doctor",
]  # fmt: skip


def help_of(command: str) -> str:
    result = CliRunner().invoke(app, [*command.split(), "--help"])
    assert result.exit_code == 0
    return result.output


def test_the_list_of_commands_is_the_whole_list():
    names = {command.name for command in app.registered_commands}
    for group in app.registered_groups:
        inside = group.typer_instance.registered_commands
        names |= {f"{group.name} {command.name}" for command in inside}
    assert names == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme_and_explains_itself(command):
    assert f"`seqclf {command}`" in README or f"`{command}`" in README
    text = help_of(command)
    assert f"Example: seqclf {command}" in " ".join(text.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_help(command):
    for parameter in click_command(command).params:
        assert parameter.help, f"{command} {parameter.name}"


def click_command(command: str):
    from typer.main import get_command

    found = get_command(app)
    for name in command.split():
        found = found.commands[name]
    return found


def lines_typed() -> list[str]:
    """Returns the seqclf commands of the README's code blocks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    typed = [
        line.split("#")[0].strip() for block in blocks for line in block.split("\n")
    ]
    typed = [line.removeprefix("$ ") for line in typed]
    return [line.split("| ")[-1] for line in typed if "seqclf " in line]


@pytest.mark.parametrize("line", lines_typed())
def test_commands_of_the_readme_have_known_options(line):
    words = shlex.split(line)
    if words[0] != "seqclf":
        return
    group = words[1] in ("data", "runs")
    command = click_command(" ".join(words[1 : 3 if group else 2]))
    known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
    options = {word.split("=")[0] for word in words if word.startswith("--")}
    assert options <= known


def test_the_readme_has_commands_to_check():
    assert len([line for line in lines_typed() if line.startswith("seqclf")]) >= 4


def test_every_target_of_the_makefile_has_a_line_of_help():
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    asked = {"install", "demo", "test", "test-all", "check", "format", "bench", "clean"}
    assert asked <= set(targets)
    printed = subprocess.run(
        ["make", "-C", str(ROOT)], capture_output=True, encoding="utf-8", check=True
    ).stdout
    for target in targets:
        assert re.search(rf"^{target}\s+\w", printed, re.MULTILINE), target


def test_the_pins_are_plain_and_meet_the_bounds():
    pins = (ROOT / "constraints.txt").read_text().split()
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    pinned = {pin.split("==")[0].lower().replace("_", "-"): pin for pin in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    for line in asked:
        name, bound = re.fullmatch(r"([\w-]+)>=([\d.]+)", line).groups()
        version = pinned[name].split("==")[1]
        assert [int(n) for n in version.split(".")[:2]] >= [
            int(n) for n in bound.split(".")[:2]
        ], line


# In two parts each, or this file would name them too.
FORBIDDEN = ("pythonho" + "sted", "pypi" + ".org", "/wo" + "rk/", "/tm" + "p/")


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    return listed.stdout.split() if listed.returncode == 0 else []


def test_no_file_names_a_registry_or_a_path_of_one_machine():
    for name in tracked():
        text = (ROOT / name).read_text("utf-8", errors="ignore")
        for word in (
            "pythonho" + "sted",
            "pypi" + ".org",
            "/wo" + "rk/",
            "/ro" + "ot/",
        ):
            assert word not in text, name
        if not name.startswith(("tests/", "benchmarks/")):
            assert "../sha" + "red" not in text, name
