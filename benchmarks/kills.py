"""Kills trainings at many moments, takes them up again, and looks at what comes out.

Run as ``python benchmarks/kills.py [MOMENTS]``; MOMENTS for each cell, 20 unless given.
Writes the table between the markers of docs/reliability.md. The slow tests run a few.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import marked
from pyarrow import parquet

CELLS = ("none", "rnn", "gru", "lstm", "gru --pretrain=lm")
OPTIONS = [
    "--data=reviews.csv", "--units=8", "--embedding-size=8", "--epochs=6",
    "--batch-size=8", "--min-count=1", "--learning-rate=0.02", "--name=run",
]  # fmt: skip
# What a process is told to do to itself, and what that stands for. `before` a file gets
# its name it is written beside it; `after`, it is in place and no more has happened.
PLANTED = (
    ("before checkpoint.npz 1", "in the middle of the first checkpoint"),
    ("before checkpoint.npz 7", "in the middle of a later checkpoint"),
    ("after checkpoint.npz 9", "just behind a checkpoint"),
    ("before model.keras 1", "while the model is written"),
    ("after metrics.json 1", "behind the evaluation"),
    ("before complete 1", "while `complete` is written"),
)
# The same of a language model, and of the training behind it.
PLANTED_BEFORE = (
    ("before pretraining.npz 1", "in the middle of its first checkpoint"),
    ("after pretraining.npz 4", "just behind a later one"),
    ("after checkpoint.npz 2", "behind a checkpoint of the training that follows"),
)
# Read by every process that Python starts, the ones that train included.
SITE = """
import os, pathlib, signal
when, name, count = os.environ["KILL_AT"].split()
left, real = int(count), pathlib.Path.replace
def replace(self, target):
    global left
    left -= os.path.basename(target) == name
    if left == 0 and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = real(self, target)
    if left == 0 and os.path.basename(target) == name:
        os.kill(os.getpid(), signal.SIGKILL)
    return result
pathlib.Path.replace = replace
"""


@dataclass(frozen=True, slots=True)
class Killed:
    """What came of one training that was killed.

    Attributes:
      cell: Its cell.
      moment: When it was killed.
      state: What it left: nothing, a checkpoint, or a finished run.
      differing: Files that differ from those of the training that nobody killed.
    """

    cell: str
    moment: str
    state: str
    differing: tuple[str, ...]


def write_reviews(folder: Path, n: int = 400) -> None:
    """Writes `n` short texts of two labels."""
    words = ("good", "bad", "fine", "poor", "film", "meal", "very", "not", "a", "room")
    generator = random.Random(0)
    rows = ["text,label"]
    for i in range(n):
        text = " ".join(generator.choices(words, k=generator.randint(3, 12)))
        rows.append(f"{text} {i},{'pos' if 'good' in text else 'neg'}")
    (folder / "reviews.csv").write_text("\n".join(rows) + "\n")


def train(
    folder: Path, cell: str, planted: str = "", more: Sequence[str] = ()
) -> subprocess.Popen[str]:
    """Starts a training in `folder`, with a checkpoint every 50 milliseconds.

    `more` are options beside `OPTIONS`; `planted` is the first part of a `PLANTED`.
    """
    environment = os.environ | {"SEQCLF_CHECKPOINT_SECONDS": "0.05"}
    if planted:
        site = folder / "site"
        site.mkdir(exist_ok=True)
        (site / "sitecustomize.py").write_text(SITE)
        path = os.pathsep.join([str(site), environment.get("PYTHONPATH", "")])
        environment |= {"KILL_AT": planted, "PYTHONPATH": path}
    # Without recurrence there are no units, and to name some is refused.
    options = [o for o in OPTIONS if cell != "none" or not o.startswith("--units")]
    return subprocess.Popen(
        [sys.executable, "-m", "seqclf", "train", f"--cell={cell}", *options, *more],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def numbers(run: Path) -> dict[str, str]:
    """Returns, for each file of a run, what must not differ: all but times."""
    lines = (run / "history.jsonl").read_text().splitlines()
    history = [json.loads(line) for line in lines]
    for record in history:
        del record["seconds"], record["tokens_per_second"]
    found = {"history.jsonl": json.dumps(history), "model.keras": weights(run)}
    for name in ("metrics.json", "proof.json", "config.json", "vocabulary.txt"):
        found[name] = (run / name).read_text()
    for file in sorted((run / "predictions").iterdir()):
        found[file.name] = str(parquet.read_table(file).to_pydict())
    onnx = (run / "model.onnx").read_bytes()
    return found | {"model.onnx": hashlib.sha256(onnx).hexdigest()}


def weights(run: Path) -> str:
    """Returns a hash of the bits of all weights in a run's `model.keras`."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    model = keras.models.load_model(run / "model.keras", compile=False)
    hashed = hashlib.sha256()
    for value in model.get_weights():
        hashed.update(str(value.shape).encode() + value.tobytes())
    return hashed.hexdigest()


def moments(
    planted: Sequence[tuple[str, str]],
    count: int,
    seconds: float,
    generator: random.Random,
) -> Iterator[str]:
    """Yields moments: the planted ones, then some at random, as `after 3.2 s`."""
    for moment, _ in planted[:count]:
        yield moment
    for _ in range(count - len(planted)):
        yield f"after {generator.uniform(0.0, seconds):.2f} s"


def killed(
    folder: Path,
    cell: str,
    moment: str,
    expected: dict[str, str],
    more: Sequence[str] = (),
) -> Killed:
    """Trains, kills, types the same again, and compares."""
    run = folder / "models" / "run"
    forget(folder)
    if moment.endswith(" s"):
        process = train(folder, cell, more=more)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(float(moment.split()[1]))
        process.kill()  # the parent alone; nobody tells its child
        process.communicate()
        wait_until_free(run)
    else:
        train(folder, cell, moment, more).communicate()
    state = state_of(run)
    again = train(folder, cell, more=more)
    said = again.communicate()[1]
    if again.returncode:
        raise SystemExit(f"{cell}, {moment}: the second training failed: {said}")
    found = numbers(run)
    left = {path.name for path in run.iterdir() if path.name.startswith(".")}
    differing = [name for name in expected if found.get(name) != expected[name]]
    return Killed(cell, moment, state, (*differing, *left))


def forget(folder: Path) -> None:
    """Removes all runs, and the language models that were trained for them."""
    shutil.rmtree(folder / "models", ignore_errors=True)
    for file in (folder / "data").rglob("lm-*.npz"):
        file.unlink()


def state_of(run: Path) -> str:
    """Returns what a killed training left."""
    if (run / "complete").exists():
        return "a finished run"
    left = any((run / f"{of}.npz").exists() for of in ("checkpoint", "pretraining"))
    return "a checkpoint" if left else "no checkpoint"


def wait_until_free(run: Path, most: float = 20.0) -> None:
    """Waits until the child of a killed parent is gone; it holds the run's lock."""
    lock, end = run / "lock", time.monotonic() + most
    while lock.exists():
        with lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > end:
                    raise SystemExit("a child outlived its parent") from None
                time.sleep(0.05)
            else:
                return


def campaign(cells: Sequence[str], count: int, folder: Path) -> Iterator[Killed]:
    """Kills `count` trainings of each cell, or a language model before a training.

    Args:
      cells: Cells; one with `--pretrain=lm` behind it has a language model first.
      count: Moments for each; the first are planted, see `PLANTED`, `PLANTED_BEFORE`.
      folder: An empty folder.

    Yields:
      What came of each.
    """
    write_reviews(folder)
    generator = random.Random(1)
    for name in cells:
        cell, *more = name.split()
        planted = PLANTED_BEFORE if more else PLANTED
        forget(folder)
        start = time.monotonic()
        said = train(folder, cell, more=more).communicate()[1]
        seconds = time.monotonic() - start
        if not (folder / "models" / "run" / "complete").exists():
            raise SystemExit(f"{name}: {said}")
        expected = numbers(folder / "models" / "run")
        for moment in moments(planted, count, seconds, generator):
            one = killed(folder, cell, moment, expected, more)
            yield dataclasses.replace(one, cell=name)


def table(results: Sequence[Killed]) -> str:
    """Returns the results as Markdown."""
    lines = [
        "| cell | moments | left no checkpoint | a checkpoint | a finished run | "
        "identical in the end |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for cell in dict.fromkeys(one.cell for one in results):
        own = [one for one in results if one.cell == cell]
        states = [one.state for one in own]
        counts = [
            states.count(s) for s in ("no checkpoint", "a checkpoint", "a finished run")
        ]
        same = sum(not one.differing for one in own)
        lines.append(
            f"| {cell} | {len(own)} | {' | '.join(map(str, counts))} | {same} |"
        )
    planted, before = (
        "; ".join(said for _, said in some) for some in (PLANTED, PLANTED_BEFORE)
    )
    return "\n".join(
        [
            *lines,
            "",
            f"Planted moments, for each cell: {planted}. Of a language model before a "
            f"training: {before}.",
        ]
    )


def main(count: int) -> None:
    """Runs the campaign and writes its table."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for one in campaign(CELLS, count, Path(folder)):
            print(f"{one.cell}  {one.moment}: {one.state}; {one.differing or 'same'}")
            results.append(one)
    marked.write("kills", f"python benchmarks/kills.py {count}", table(results))
    if any(one.differing for one in results):
        raise SystemExit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 20)
