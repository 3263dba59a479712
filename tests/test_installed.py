"""What to type to install more, by how seqclf was installed."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from seqclf.installed import incomplete_said, install_line


class Installed:
    """Stands for the metadata of an installed package."""

    def __init__(self, about: dict | None) -> None:
        self.about = about

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self.about is None else json.dumps(self.about)


@pytest.mark.parametrize(
    ("about", "line"),
    [
        (None, "'seqclf[serve]'"),
        (
            {"url": "https://example.org/seqclf.whl", "archive_info": {}},
            "'seqclf[serve] @ https://example.org/seqclf.whl'",
        ),
        (
            {
                "url": "https://example.org/seqclf.git",
                "vcs_info": {"vcs": "git", "commit_id": "a1"},
            },
            "'seqclf[serve] @ git+https://example.org/seqclf.git@a1'",
        ),
        (
            {"url": "file:///home/me/my%20code/seqclf", "dir_info": {}},
            "'/home/me/my code/seqclf[serve]'",
        ),
        (
            {"url": "file:///home/me/seqclf", "dir_info": {"editable": True}},
            "--editable '/home/me/seqclf[serve]'",
        ),
        (
            {"url": "file:///d/seqclf-0.2.0-py3-none-any.whl", "archive_info": {}},
            "'/d/seqclf-0.2.0-py3-none-any.whl[serve]'",
        ),
    ],
)
def test_more_is_installed_from_where_seqclf_came(about, line, monkeypatch):
    monkeypatch.setattr(metadata, "distribution", lambda name: Installed(about))
    assert install_line("serve") == f"{sys.executable} -m pip install {line}"
    assert "[serve]" not in install_line()


def test_a_package_that_is_not_there_is_named_with_what_to_type():
    said = incomplete_said(ModuleNotFoundError("no", name="sklearn"))
    assert said
    assert said.startswith("this needs scikit-learn, which is not installed here")
    assert said.endswith(install_line())
    assert incomplete_said(ModuleNotFoundError("no", name="seqclf.nothing")) is None
    assert incomplete_said(ModuleNotFoundError("no", name="ray")) is None  # an extra
    # The package is there, and damaged.
    assert incomplete_said(ModuleNotFoundError("no", name="sklearn.metrics")) is None


def test_without_its_metadata_seqclf_says_what_it_can(monkeypatch):
    def none(name: str):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", none)
    monkeypatch.setattr(metadata, "distribution", none)
    assert incomplete_said(ModuleNotFoundError("no", name="sklearn")) is None
    assert install_line("serve").endswith("pip install 'seqclf[serve]'")


# Only what the group `predict` of pyproject.toml brings, with what that needs itself.
ONLY = """
import importlib.abc, sys

HIDDEN = {HIDDEN}

class Others(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in HIDDEN:
            raise ModuleNotFoundError(f"No module named {top!r}", name=name)

sys.meta_path.insert(0, Others())
from seqclf.cli import main
main()
"""


def hidden_modules(*more: str) -> set[str]:
    """Returns the modules of all packages but the group `predict`, more, and needs."""
    project = Path(__file__).parents[1] / "pyproject.toml"
    todo = tomllib.loads(project.read_text("utf-8"))["dependency-groups"]["predict"]
    todo += more
    names: set[str] = set()
    while todo:
        needed = Requirement(todo.pop())
        name = canonicalize_name(needed.name)
        is_meant = not needed.marker or needed.marker.evaluate({"extra": ""})
        if name not in names and is_meant:
            names.add(name)
            todo += metadata.requires(name) or []
    return {
        module
        for module, packages in metadata.packages_distributions().items()
        if not {*names, "seqclf"} & {canonicalize_name(one) for one in packages}
    }


@pytest.mark.parametrize("texts", [["fine"], ["-"]])
def test_texts_are_predicted_with_the_packages_of_predicting_alone(texts, finished_run):
    hidden = hidden_modules()
    assert {"pyarrow", "keras", "tensorflow", "sklearn", "scipy"} <= hidden
    assert not {"numpy", "onnxruntime", "typer", "rich", "msgspec"} & hidden
    script = ONLY.replace("{HIDDEN}", repr(hidden))
    run = ["--run", str(finished_run.path)]
    done = subprocess.run(
        [sys.executable, "-c", script, "predict", *run, *texts],
        capture_output=True,
        encoding="utf-8",
        input="fine\n" * 100,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("fine") == (100 if texts == ["-"] else 1)


def test_with_arrow_files_are_predicted_and_answers_explained(finished_run, tmp_path):
    script = ONLY.replace("{HIDDEN}", repr(hidden_modules("pyarrow")))
    (tmp_path / "texts.csv").write_text("text\nfine\n")
    run = ["predict", "--run", str(finished_run.path)]
    for asked in (["--input=texts.csv", "--output=out.csv"], ["--explain", "fine"]):
        done = subprocess.run(
            [sys.executable, "-c", script, *run, *asked],
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 2


def test_a_command_that_needs_more_says_so(finished_run, tmp_path):
    script = ONLY.replace("{HIDDEN}", repr(hidden_modules()))
    done = subprocess.run(
        [sys.executable, "-c", script, "train", "--data=demo"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 1
    assert "which is not installed here" in done.stderr
    assert install_line() in " ".join(done.stderr.split())


def test_ci_installs_what_the_page_says():
    """The lines of docs/install.md stand in `.ci/run`, but for where the wheel is."""
    root = Path(__file__).parents[1]
    page = (root / "docs" / "install.md").read_text("utf-8")
    ci = " ".join((root / ".ci" / "run").read_text("utf-8").replace("\\\n", "").split())
    dockerfile = (root / "Dockerfile").read_text("utf-8")
    light = "install --quiet --constraint constraints.txt --group predict"
    assert "install --quiet --constraint constraints.txt --upgrade pip" in ci
    assert "pip install --upgrade pip" in page
    assert light in ci
    assert f"pip {light.replace(' --quiet', '')}\n" in page
    assert "install --quiet --no-deps" in ci
    assert "pip install --no-deps ." in page
    assert 'install --quiet --constraint constraints.txt "$(echo' in ci
    assert 'install --no-cache-dir --constraint /src/constraints.txt "/src[' in (
        dockerfile
    )


def test_the_citation_is_of_this_version():
    import yaml

    import seqclf

    file = Path(__file__).parents[1] / "CITATION.cff"
    cited = yaml.safe_load(file.read_text("utf-8"))
    assert cited["version"] == seqclf.__version__
    assert {"cff-version", "message", "title", "authors", "license"} <= cited.keys()
