"""What many tests need: a few texts, a tiny recipe, and one finished run."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import itertools
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import click
import pytest
from click.testing import CliRunner, Result

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["COLUMNS"] = "80"
os.environ["HF_HUB_OFFLINE"] = "1"  # nothing here reaches beyond the machine
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # nor does ONNX Runtime
os.environ.pop("SEQCLF_MODELS", None)
os.environ.pop("SEQCLF_CACHE", None)

SHARED = Path(__file__).parents[2] / "shared" / "data"

GOOD = ("good", "great", "lovely", "fine", "superb", "charming")
BAD = ("bad", "awful", "dull", "poor", "dreadful", "clumsy")
THINGS = ("film", "meal", "room", "phone", "play", "soup", "view")

# Of Chromium.
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--window-size=1100,1400",
)  # fmt: skip


def reviews(n: int, start: int = 0) -> list[tuple[str, str]]:
    """Returns n short texts with the labels bad and good, all different."""
    rows = []
    for i in range(start, start + n):
        label = ("bad", "good")[i % 2]
        word = (BAD, GOOD)[i % 2][i // 2 % 6]
        thing = THINGS[i // 12 % 7]
        rows.append((f"{'very ' * (i // 84)}{word} {thing}, number {i}", label))
    return rows


def write_csv(path: Path, rows: list[tuple[str, str]]) -> Path:
    """Writes rows of (text, label)."""
    lines = [f'"{text}",{label}' for text, label in rows]
    path.write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    return path


def pairs(some: Iterable[str], others: Iterable[str]) -> list[Any]:
    """Returns all pairs as parameters: each value once in the quick suite, all in CI.

    Those of the quick suite pair the values in their order, the shorter list over and
    over.
    """
    some, others = list(some), list(others)
    most = range(max(len(some), len(others)))
    quick = {(some[i % len(some)], others[i % len(others)]) for i in most}
    return [
        pytest.param(*pair, marks=[] if pair in quick else [pytest.mark.slow])
        for pair in itertools.product(some, others)
    ]


TINY = [
    "--units=8", "--embedding-size=8", "--epochs=2", "--batch-size=16", "--min-count=1",
    "--learning-rate=0.02",
]  # fmt: skip


@functools.cache
def command_line() -> click.Command:
    """Returns seqclf's commands, which take 20 ms to put together, once."""
    import typer.main

    from seqclf.cli import command_line

    return typer.main.get_command(command_line())


def invoke(*arguments: object, **options: Any) -> Result:
    """Runs the command line in this process."""
    return CliRunner().invoke(command_line(), [str(a) for a in arguments], **options)


def run_in(folder: Path, *arguments: object, **options: Any) -> Result:
    """Runs the command line in this process, in `folder`."""
    with contextlib.chdir(folder):
        return invoke(*arguments, **options)


@contextlib.contextmanager
def tasks_in_this_process() -> Iterator[None]:
    """Makes commands do in this process what they leave to processes of their own.

    Each of those loads TensorFlow, or scikit-learn, for seconds. What a task raises is
    raised here; `tests/test_engine.py` is about the processes themselves.
    """
    from seqclf.engine import Outcome

    def here(
        tasks, jobs=1, on_report=lambda i, r: None, deadline=math.inf, cluster=None
    ):
        for index, task in enumerate(tasks):
            value = task.function(task.argument, lambda r, i=index: on_report(i, r))
            yield Outcome(index, value)

    with pytest.MonkeyPatch.context() as patch:
        for room in ("workflows.train", "comparison.plan", "classroom.grade"):
            patch.setattr(f"seqclf.{room}.run_tasks", here)
        # Other tests of this process may have begun with others, which is for good.
        patch.setattr("seqclf.model.backend.set_threads", lambda threads: None)
        yield


@pytest.fixture(scope="module")
def in_this_process() -> Iterator[None]:
    """Tasks are done here, in all tests of a module."""
    with tasks_in_this_process():
        yield


def run_cli(
    arguments: list[str], folder: Path, **options: object
) -> subprocess.CompletedProcess[str]:
    """Runs the command line in a process of its own, in `folder`."""
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("timeout", 180)
    return subprocess.run(
        [sys.executable, "-m", "seqclf", *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        **options,
    )


def seal(folder: Path, **values: object) -> None:
    """Says of what was written into a run by hand that it was meant so."""
    from seqclf.runs.files import COMPLETE_FILE, MAY_CHANGE
    from seqclf.runs.manifest import digests
    from seqclf.storage import write_json

    said = {"command": "train", "time": "2026-01-01"} | values
    write_json(folder / COMPLETE_FILE, said | {"files": digests(folder, MAY_CHANGE)})


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with reviews/ (three splits) and a finished run; do not write here."""
    folder = tmp_path_factory.mktemp("workplace")
    if "PYTEST_XDIST_WORKER" in os.environ:
        made = tmp_path_factory.getbasetemp().parent / "workplace"
        with made.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the first of the workers makes it
            if not made.exists():
                fill_workplace(folder)
                half = made.with_suffix(".partial")
                shutil.copytree(folder, half).rename(made)
                return folder
        shutil.copytree(made, folder, dirs_exist_ok=True)
    else:
        fill_workplace(folder)
    return folder


def fill_workplace(folder: Path) -> None:
    """Writes the data and trains, which takes seconds."""
    data = folder / "reviews"
    data.mkdir()
    write_csv(data / "train.csv", reviews(160))
    write_csv(data / "validation.csv", reviews(40, start=160))
    write_csv(data / "test.csv", reviews(48, start=200))
    with contextlib.chdir(folder):
        done = invoke("train", "--cell=gru", "--data=reviews", *TINY)
    assert done.exit_code == 0, done.output


@pytest.fixture(scope="session")
def finished_run(workplace: Path):
    """The run in the workplace; read only."""
    from seqclf.runs import Run

    return Run(workplace / "models" / "reviews-gru-0")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator:
    """Makes a skipped test a failed one in CI, where nothing may be missing."""
    report = yield
    return refused_in_ci(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator:
    """Does the same for a file of tests that is skipped as a whole."""
    report = yield
    return refused_in_ci(report)


def refused_in_ci(report: Any) -> Any:
    """Returns a report that says failed where it said skipped, if this is CI."""
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"in CI no test may be skipped: {report.longrepr}"
    return report


def not_here(reason: str) -> NoReturn:
    """Skips a test whose surroundings are missing.

    Who has a Python environment alone, without Node or the right to mount anything,
    can still test the rest.
    """
    pytest.skip(reason)


def run_in_node(folder: Path, core: str, code: str, asked: object) -> Any:
    """Runs JavaScript in Node behind that of a page, and returns its `answer`.

    `asked` is given to it; skips where there is no Node.
    """
    if not shutil.which("node"):
        not_here("node is not here")
    (folder / "asked.json").write_text(json.dumps(asked), "utf-8")
    given = f"JSON.parse(require('fs').readFileSync('{folder}/asked.json'))"
    script = f'"use strict";\n{core}\nconst asked = {given};\n{code}\n'
    script += "console.log(JSON.stringify(answer));"
    (folder / "script.cjs").write_text(script, "utf-8")
    done = subprocess.run(
        ["node", str(folder / "script.cjs")], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def shared(name: str) -> Path:
    """Returns a real data set; skips where it is not there.

    The real data sets are not part of the project: who has only a checkout cannot have
    them, and CI, which has them, runs these tests.
    """
    path = SHARED / name
    if not path.exists():
        # Nothing to repair: the data may not be shipped with the project.
        not_here(f"{name} is not here")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Generator[Any]:
    """A headless Chromium; skips where there is none."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        not_here("Chromium and ChromeDriver are not here")
    options = Options()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability(
        "goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"}
    )
    one = webdriver.Chrome(options, Service(driver))
    yield one
    one.quit()
