"""Types every command of these pages, from its first to its last.

Against a hub on this machine, on little data, and with small models: what is shown is
that each command does what its page says, not how well.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import reviews, write_csv
from loopback_hub import LoopbackHub, repository
from test_docs import ROOT, blocks_of, commands_of
from test_hub import CARD, as_parquet, imdb

from seqclf import load_dataset

pytestmark = pytest.mark.slow
SMALL = "--units=16 --embedding-size=8 --epochs=1 --min-count=1"
# The last of an option that is given twice counts.
MORE = {
    "train": f"{SMALL} --limit=150",
    "compare": f"{SMALL} --limit=150 --cells=gru --seeds=1",
    "train --baseline": "",  # takes seconds
    "compare --match": f"{SMALL} --units=64 --limit=150 --cells=rnn,gru --seeds=1",
    "compare --tune": f"{SMALL} --limit=150 --cells=gru --seeds=1 --tune=2",
    "compare --folds": f"{SMALL} --limit=150 --cells=gru --folds=2",
    "compare --until-decided": f"{SMALL} --limit=150 --cells=rnn,gru --seeds=2 "
    "--max-seeds=2",
    "serve": "--port=0",
    "study order": f"{SMALL} --limit=100 --seeds=1",
}
# What takes minutes even so; typed by tests/test_claims.py.
ELSEWHERE = ("seqclf claims --quick",)
COMMIT = "a" * 40  # of the loopback hub
WITH_SUBSET = b"""---
configs:
- config_name: NAME
  data_files:
  - split: train
    path: rows.parquet
---
"""


def topics() -> bytes:
    """Returns rows with title, content and topic, as Parquet."""
    import io

    import pyarrow as pa
    from pyarrow import parquet

    texts, labels = zip(*reviews(80), strict=True)
    columns = {"title": ["A title"] * 80, "content": texts, "topic": labels}
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file)
    return file.getvalue()


@pytest.fixture(scope="module")
def hub():
    rows = [(text, int(label == "good")) for text, label in reviews(80)]
    unlabelled = b"  - split: unsupervised\n    path: unsupervised.parquet\n"
    news = {
        "README.md": CARD.replace(unlabelled, b""),
        "train.parquet": as_parquet(rows[:60]),
        "test.parquet": as_parquet(rows[60:]),
    }
    other = {"README.md": WITH_SUBSET, "rows.parquet": topics()}
    server = LoopbackHub(
        {
            "stanfordnlp/imdb": repository(imdb(60), COMMIT),
            "fancyzhx/ag_news": repository(news),
            "OWNER/NAME": repository(other),
        }
    )
    yield server
    server.close()


@pytest.fixture
def desk(tmp_path_factory) -> Path:
    """A folder with the files that the pages name."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "reviews").mkdir()
    for file in ("reviews.csv", "few.csv", "reviews/train.csv"):
        write_csv(folder / file, reviews(120))
    (folder / "parts").mkdir()
    for name in ("a", "b"):
        write_csv(folder / "parts" / f"{name}.csv", reviews(20))
    rows = [f"{label}\t{text}\n" for text, label in reviews(120)]
    (folder / "sms.tsv").write_text("".join(rows), encoding="utf-8")
    texts = [text for text, _ in reviews(5)]
    (folder / "texts.txt").write_text("\n".join(texts) + "\n")
    demo = load_dataset("demo")
    with (folder / "answers.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(("text", "label"))
        for row in demo.splits["test"].to_pylist():
            lines.writerow((row["text"], demo.labels[row["label"]]))
    return folder


@pytest.fixture
def environment(hub, desk, tmp_path_factory) -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    program = tmp_path_factory.mktemp("bin") / "seqclf"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m seqclf "$@"\n')
    program.chmod(0o755)
    return own | {
        "PATH": f"{program.parent}{os.pathsep}{own['PATH']}",
        "NO_PROXY": "*", "HF_ENDPOINT": hub.url, "HF_HOME": str(desk / "hf"),
        "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1", "HF_UPDATE_DOWNLOAD_COUNTS": "0",
    }  # fmt: skip


def small(command: str) -> str:
    """Returns a command that does the same with less."""
    first, two = command.split()[1], " ".join(command.split()[1:3])
    name = two if two in MORE else first
    options = ("--match", "--tune", "--folds", "--until-decided", "--baseline")
    for option in options:
        if f"{name} {option}" in MORE and option in command:
            name = f"{name} {option}"
    return f"{command} {MORE.get(name, '')}".replace("THOSE_DIGITS", COMMIT)


def served(command: str, desk: Path, environment: dict[str, str]) -> None:
    """Types a command that ends with Ctrl-C, and ends it once it is ready."""
    process = subprocess.Popen(
        f"exec {command}", shell=True, cwd=desk, env=environment,
        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, encoding="utf-8",
    )  # fmt: skip
    assert process.stderr
    line = " "
    while line and "Ctrl-C ends" not in line:
        line = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, f"{command}: {line}{said}"


@pytest.mark.parametrize(
    "page",
    [
        "README.md", "docs/examples.md", "docs/hub.md", "docs/lecture.md",
        "docs/serving.md", "docs/tutorial.md",
    ],
)  # fmt: skip
def test_every_command_of_the_page_works(page, desk, environment, finished_run):
    commands = [
        command
        for _, block in blocks_of((ROOT / page).read_text("utf-8"))
        for command in commands_of(block)
        if command not in ELSEWHERE
    ]
    assert len(commands) >= 2
    if page == "docs/serving.md":  # which begins with runs that other pages made
        for name in ("demo-gru-0", "demo-lstm-0", "films-nb-svm"):
            shutil.copytree(finished_run.path, desk / "models" / name)
    for command in commands:
        if command.startswith("seqclf serve"):
            served(small(command.removesuffix("&")), desk, environment)
            continue
        done = subprocess.run(
            small(command), shell=True, cwd=desk, env=environment,
            capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert done.stdout or "--output" in command, command
        if command == "seqclf data show imdb --json":
            assert json.loads(done.stdout)["revision"] == COMMIT
    made = {
        "README.md": ("models/demo-lstm-0", "models/demo-compare/report.html"),
        "docs/examples.md": ("models/imdb-lstm-0", "out.parquet"),
        "docs/lecture.md": ("models/lecture/report.html",
                            "models/lecture/microscope.html",
                            "models/made-up-texts-studies/flow/flow.html"),
        "docs/tutorial.md": ("models/sms-compare/report.html",
                             "exports/sms-gru-0/onnx/model.onnx"),
        "docs/hub.md": ("models/ag_news-compare", "models/name-name-gru-0"),
        "docs/serving.md": ("served/model.onnx",
                            "exports/demo-lstm-0/litert/model.tflite"),
    }[page]  # fmt: skip
    for path in made:
        assert (desk / path).exists(), path
