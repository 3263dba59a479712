from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import help_pages
import pytest
from conftest import command_line, invoke
from packaging.requirements import Requirement

from seqclf import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = [
    "train", "compare", "predict", "evaluate", "export", "push", "serve", "data list",
    "data show", "data check", "runs list", "runs show", "runs remove", "doctor",
    "study", "claims",
    "classroom assign", "classroom grade", "classroom check-cell",
]  # fmt: skip


def help_of(command: str) -> str:
    result = invoke(*command.split(), "--help")
    assert result.exit_code == 0
    return result.output


def test_the_list_of_commands_is_the_whole_list():
    app = cli.command_line()
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
    found = command_line()
    for name in command.split():
        found = found.commands[name]
    return found


def pages() -> dict[str, str]:
    """Returns the pages that say how to use seqclf, by their path."""
    files = [ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md")]
    files += sorted((ROOT / "docs").glob("*.md"))
    files += [ROOT / name / "README.md" for name in ("data", "models", "benchmarks")]
    return {str(file.relative_to(ROOT)): file.read_text("utf-8") for file in files}


def blocks_of(page: str) -> list[tuple[str, str]]:
    """Returns language and content of a page's code blocks; directives are none."""
    found = re.findall(r"^```(\{?\w*\S*)\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    return [(language, block) for language, block in found if language[:1] != "{"]


def commands_of(block: str) -> list[str]:
    """Returns the commands of a block that are typed to get an answer of seqclf."""
    lines = [
        line.removeprefix("$ ").split(" #")[0].strip() for line in block.split("\n")
    ]
    return [line for line in lines if re.match(r"(cat \S+ \| )?seqclf ", line)]


def mentioned() -> list[str]:
    """Returns every command of seqclf in the pages, those within sentences too."""
    found = []
    for page in pages().values():
        for _, block in blocks_of(page):
            found += [line.split("| ")[-1] for line in commands_of(block)]
        found += re.findall(r"`(seqclf [^`…]+)`", page)
    return sorted(set(found))


@pytest.mark.parametrize("line", mentioned())
def test_commands_of_the_docs_have_known_options(line):
    words = shlex.split(line)
    options = {word.split("=")[0] for word in words if word.startswith("--")}
    if words[1].startswith("-"):  # of the program itself
        assert options <= {"--help", "--version", "--install-completion"}
        return
    group = words[1] in ("data", "runs", "classroom")
    command = click_command(" ".join(words[1 : 3 if group else 2]))
    known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
    assert options <= known | {"--help"}


def test_the_page_of_all_options_is_that_of_the_commands():
    assert help_pages.PAGE.read_text("utf-8") == help_pages.page()


def test_the_docs_have_commands_to_check():
    assert len(mentioned()) >= 30


# Who executes the blocks of which page, by the blocks' language.
EXECUTED = {
    "python": {
        "docs/python.md": "test_api.py",
        "docs/serving.md": "test_serving.py", "docs/cells.md": "test_cells_page.py",
    },
    "js": {"docs/serving.md": "test_serving.py"},
    "json": {"docs/serving.md": "test_serving.py"},
    "text": {
        "docs/predict.md": "test_predict_docs.py",
        "docs/serving.md": "test_predict_docs.py",
    },
    "": {
        "README.md": "test_docs_commands.py", "docs/hub.md": "test_docs_commands.py",
        "docs/examples.md": "test_docs_commands.py",
        "docs/tutorial.md": "test_docs_commands.py",
        "docs/lecture.md": "test_docs_commands.py",
        "docs/install.md": "test_installed.py",
        "docs/serving.md": "test_docs_commands.py",
        "docs/predict.md": "test_predict_docs.py", "docs/sharing.md": "test_push.py",
        "docs/cells.md": "test_cells_page.py", "docs/scale.md": "test_ray.py",
    },
}  # fmt: skip
# Commands that take too long for a test; their options are looked at above.
LONG = ("seqclf study", "seqclf classroom")
# Blocks that nobody types, by their first words: what is shown is an answer, or needs a
# program that is no part of this project.
SHOWN = (
    "clause patterns", "token_ids [batch", "models/imdb-gru-0/",
    "docker run --rm", "docker run -p", "docker build", "pip wheel",
    " Usage: seqclf", "export SBATCH_PARTITION",
)  # fmt: skip


def test_every_example_of_the_docs_is_executed_by_a_test():
    makefile = (ROOT / "Makefile").read_text()
    for path, page in pages().items():
        for language, block in blocks_of(page):
            if block.startswith((*SHOWN, *LONG)):
                continue
            made = re.findall(r"^make ([a-z-]+)", block, re.MULTILINE)
            assert all(f"\n{target}:" in makefile for target in made), path
            if len(made) == block.count("\n"):
                continue
            test = EXECUTED.get(language, {}).get(path)
            assert test, f"no test executes {path}: {block}"
            assert (ROOT / "tests" / test).is_file()


def test_the_files_of_a_run_are_those_that_its_page_names(finished_run):
    page = (ROOT / "docs" / "runs.md").read_text("utf-8")
    [block] = [b for _, b in blocks_of(page) if b.startswith("models/imdb-gru-0/")]
    named = set(re.findall(r"\b[a-z]+\.(?:json|jsonl|txt|keras|onnx)\b", block))
    there = {path.name for path in finished_run.path.iterdir()}
    assert {"config.json", "model.keras", "history.jsonl"} <= named <= there


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
    asked = list(project["project"]["dependencies"])
    for group in project["dependency-groups"].values():
        asked += [line for line in group if isinstance(line, str)]
    for line in asked:
        needed = Requirement(line)
        assert ">=" in {one.operator for one in needed.specifier}, line
        assert needed.specifier.contains(pinned[needed.name].split("==")[1]), line


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
