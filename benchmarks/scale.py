"""Measures two Ray nodes of this machine, with one killed, and models many.

Run as ``python benchmarks/scale.py [cluster] [one]`` (``make scale``); writes its
tables between the markers of docs/scale.md. The nodes have a CPU each; this machine
alone does as much with two jobs.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import math
import operator
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import marked
import numpy as np
import ray_nodes
import rounds

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"
TOKEN = secrets.token_hex(16)
COMPARE = ["compare", "--data=demo", "--cells=gru,lstm", "--seeds=2", "--epochs=3"]
FILES, ROWS = 12, 20_000  # of the folder that is predicted
TIMES = {"environment.json", "complete", "log.txt", "lock", "history.jsonl"}
# Of an ordinary lab: gigabit Ethernet, bytes a second.
NETWORK = 125e6
NODES = (1, 2, 4, 8, 16, 32, 64, 100)
WORKERS = (1, 2, 4, 8, 16, 32, 64)
BATCH = 64
DAY = 24 * 3600.0  # seconds
LATENCY = 50e-6  # seconds of a message between two machines of a lab


def run(folder: Path, *arguments: str) -> float:
    """Runs seqclf in a folder; returns its seconds."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "seqclf", *arguments],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def digests(folder: Path) -> dict[str, str]:
    """Returns a digest of each file, but for those that tell of time and place."""
    found = {}
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or file.name in TIMES or "compare" in file.parts[-2]:
            continue
        content = file.read_bytes()
        if file.suffix == ".keras":  # the rest of it has times, and counts of objects
            with zipfile.ZipFile(file) as packed:
                content = packed.read("model.weights.h5")
        name = file.relative_to(folder).as_posix()
        found[name] = hashlib.sha256(content).hexdigest()
    return found


@contextlib.contextmanager
def nodes() -> Iterator[ray_nodes.Nodes]:
    """Starts a head and two nodes, with a token, which this process has, too."""
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}
    with ray_nodes.cluster(TOKEN) as made:
        yield made


def killed_meanwhile(
    made: ray_nodes.Nodes, name: str, is_time: Callable[[], bool]
) -> None:
    """Kills a node once it is time, and adds another one."""
    while not is_time():
        time.sleep(0.2)
    made.kill(name)
    made.add(f"after-{name}")


def with_a_kill(
    folder: Path, made: ray_nodes.Nodes, is_time: Callable[[], bool], *arguments: str
) -> float:
    """Runs seqclf while a node is killed; returns its seconds."""
    import threading

    name = next(one for one in made.processes if one != "head")
    killing = threading.Thread(target=killed_meanwhile, args=(made, name, is_time))
    killing.start()
    seconds = run(folder, *arguments)
    killing.join()
    return seconds


def compared(folder: Path, made: ray_nodes.Nodes) -> list[tuple[str, ...]]:
    """Returns what the same comparison takes in three ways, and what is equal."""
    there = f"--cluster={made.address}"
    run(folder, *COMPARE, "--models-dir=warm", "--seeds=1", "--epochs=1")  # the cache
    seconds = {
        "this machine, `--jobs 2`": run(
            folder, *COMPARE, "--models-dir=here", "--jobs=2"
        ),
        "two nodes": run(folder, *COMPARE, "--models-dir=far", there),
    }
    begun = time.monotonic()
    seconds["two nodes, one killed after 30 s and replaced"] = with_a_kill(
        folder, made, lambda: time.monotonic() > begun + 30,
        *COMPARE, "--models-dir=killed", there,
    )  # fmt: skip
    here = digests(folder / "here")
    rows = []
    for (name, took), models in zip(
        seconds.items(), ("here", "far", "killed"), strict=True
    ):
        found = digests(folder / models)
        equal = sum(found.get(file) == one for file, one in here.items())
        rows.append((name, f"{took:.0f}", f"{equal} of {len(here)}"))
    return rows


def predicted(folder: Path, made: ray_nodes.Nodes) -> list[tuple[str, ...]]:
    """Returns what the same files take to be predicted in three ways."""
    draw = np.random.default_rng(0)
    words = ["good", "bad", "fine", "dull", "plot", "film", "actor", "scene", "short"]
    texts = folder / "texts"
    texts.mkdir()
    for number in range(FILES):
        drawn = draw.choice(words, (ROWS, 40))
        lines = "\n".join(" ".join(row) for row in drawn)
        (texts / f"{number:02}.csv").write_text(f"text\n{lines}\n")
    ask = ["predict", "--input=texts", "--run=here/demo-gru-0"]
    there = f"--cluster={made.address}"
    seconds = {
        "this machine": run(folder, *ask, "--output=of-here"),
        "two nodes": run(folder, *ask, "--output=of-far", there),
    }
    out = folder / "of-killed"
    seconds["two nodes, one killed after the second file"] = with_a_kill(
        folder, made, lambda: len([*out.glob("*.csv")]) > 1,
        *ask, "--output=of-killed", there,
    )  # fmt: skip
    rows = []
    for (name, took), output in zip(
        seconds.items(), ("of-here", "of-far", "of-killed"), strict=True
    ):
        equal = sum(
            file.read_bytes() == (folder / output / file.name).read_bytes()
            for file in (folder / "of-here").glob("*.csv")
        )
        rate = f"{FILES * ROWS / took:,.0f}"
        rows.append((name, f"{took:.0f}", rate, f"{equal} of {FILES}"))
    return rows


@dataclass(frozen=True, slots=True)
class Overheads:
    """What other machines cost, in seconds unless they are bytes.

    Attributes:
      connect: To join, to ask for versions.
      send: Of the command's machine for each training: to pack and to send it.
      take_in: Of that machine for each training: to unpack its run, on the disk.
      start: Of a node for each: to begin a process, beside the training itself.
      data: Bytes of encoded data, which each node gets once.
      run: Bytes of a run.
    """

    connect: float
    send: float
    take_in: float
    start: float
    data: float
    run: float


def overheads(folder: Path, made: ray_nodes.Nodes) -> Overheads:
    """Measures them with runs of the default size on real data."""
    from seqclf.cluster.asked import Asked
    from seqclf.cluster.dispatch import Dispatcher
    from seqclf.cluster.opened import opened
    from seqclf.cluster.parcels import pack, unpack
    from seqclf.engine import Task, run_tasks

    path = folder / "here" / "demo-gru-0"
    content = pack(path)
    taken = [seconds(lambda: unpack(content, folder / "again")) for _ in range(5)]
    data = next(one for one in (folder / "data").iterdir() if one.is_dir())
    begun = time.perf_counter()
    with opened(Asked(made.address), lambda sentence: None) as there:
        connect = time.perf_counter() - begun
        tasks = [
            Task(operator.is_, i, folder / f"{i}.txt", reads=(data,))  # nothing else
            for i in range(12)
        ]
        sent: list[float] = []
        for task in tasks[:5]:
            begun = time.perf_counter()
            cast(Dispatcher, there)._errand(task, math.inf)
            sent.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        errors = [one.error for one in run_tasks(tasks, cluster=there) if one.error]
        whole = time.perf_counter() - begun
    if errors:
        raise RuntimeError(errors[0])
    return Overheads(
        connect,
        statistics.median(sent[1:]),
        statistics.median(taken),
        whole / (len(tasks) / 2),
        sum(one.stat().st_size for one in data.rglob("*") if one.is_file()),
        len(content),
    )


def seconds(call: Callable[[], object]) -> float:
    """Returns the seconds that a call takes."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def an_hour(count: int, training: float, cost: Overheads) -> tuple[float, str]:
    """Simulates a day of trainings of so many seconds on so many nodes of one CPU.

    The machine of the command sends and takes in one thing at a time, over one cable;
    each node begins when it has the data.

    Returns:
      The trainings that came back in an hour, the mean of the day, and the share of the
      nodes' time in which they waited for the machine of the command.
    """
    free = 0.0  # when the machine of the command has time
    ready: list[float] = []
    for _ in range(count):
        free += cost.data / NETWORK
        ready.append(free)
    events = [(moment, 0) for moment in ready]  # nodes that want work: moment, runs
    heapq.heapify(events)
    done, waited, worked = 0, 0.0, 0.0
    while events:
        moment, brought = heapq.heappop(events)
        if moment > DAY:
            continue
        begin = max(moment, free)
        waited += begin - moment
        busy = cost.send + brought * (cost.take_in + cost.run / NETWORK)
        free = begin + busy
        done += brought if free <= DAY else 0
        worked += training
        heapq.heappush(events, (free + cost.start + training, 1))
    share = waited / max(waited + worked, 1e-9)
    return done / 24, f"{100 * share:.0f} %"


def many(cost: Overheads, trainings: Sequence[float]) -> list[tuple[str, ...]]:
    """Returns trainings an hour by nodes, with the share of time that nodes wait."""
    rows = []
    for count in NODES:
        row = [f"{count}"]
        for training in trainings:
            done, waits = an_hour(count, training, cost)
            ideal = count * 3600 / training
            row += [f"{done:,.0f}", f"{done / ideal:.2f}", waits]
        rows.append(tuple(row))
    return rows


def of_cluster() -> None:
    """Measures two nodes, and writes the tables."""
    with tempfile.TemporaryDirectory() as made_in, nodes() as made:
        folder = Path(made_in)
        rows = compared(folder, made)
        made.wait_for(2)
        text = [
            f"`seqclf {' '.join(COMPARE)}`, four trainings and the baselines; equal "
            "are weights, histories of batches, metrics, proof, predictions:",
            "",
            *rounds.table(("where", "seconds", "files equal to the first"), rows),
        ]
        made.wait_for(2)
        rows = predicted(folder, made)
        text += [
            "",
            f"`seqclf predict --input DIR --output DIR`, {FILES} files of {ROWS:,} "
            "rows of 40 words, a GRU:",
            "",
            *rounds.table(
                ("where", "seconds", "rows a second", "files equal to the first"), rows
            ),
        ]
        made.wait_for(2)
        cost = overheads(folder, made)
    marked.write("two-nodes", "python benchmarks/scale.py", "\n".join(text), PAGE)
    trainings = (60.0, 600.0)
    head = ["nodes"]
    for training in trainings:
        head += [f"of {training / 60:g} min, an hour", "of the ideal", "nodes wait"]
    text = [
        f"Measured: to join {cost.connect:.1f} s; a training costs the machine of the "
        f"command {1e3 * cost.send:.0f} ms to send and {1e3 * cost.take_in:.0f} ms to "
        f"take in (a run of {cost.run / 1e6:.1f} MB), and its node "
        f"{cost.start:.1f} s to begin. Each node gets the data once "
        f"({cost.data / 1e6:.1f} MB here), over a cable of 1 Gbit/s.",
        "",
        *rounds.table(head, many(cost, trainings)),
    ]
    imdb = Overheads(
        cost.connect, cost.send, cost.take_in * 55e6 / cost.run, cost.start, 72e6, 55e6
    )
    text += [
        "",
        "The same with the sizes of IMDB, 72 MB of data and 55 MB a run, whose time to "
        "be taken in is taken to grow with its size:",
        "",
        *rounds.table(head, many(imdb, trainings)),
    ]
    marked.write("many-nodes", "python benchmarks/scale.py", "\n".join(text), PAGE)


def step_times() -> tuple[dict[int, float], float]:
    """Returns milliseconds of a training step by batch size, and MB of gradients."""
    from seqclf.config import ModelConfig
    from seqclf.model import backend
    from seqclf.model.build import build_model

    backend.set_threads(1)
    import keras

    keras.utils.set_random_seed(0)
    model = build_model(ModelConfig(cell="gru"), 20_000, 2, seed=0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(), loss, jit_compile=False)
    draw, found = np.random.default_rng(0), {}
    for batch in sorted({BATCH // count for count in WORKERS}):
        ids = draw.integers(2, 20_000, (batch, 200))
        labels = draw.integers(0, 2, batch)
        model.train_on_batch(ids, labels)
        took = [
            1e3 * seconds(lambda: model.train_on_batch(ids, labels))  # noqa: B023
            for _ in range(15)
        ]
        found[batch] = statistics.median(took)
    return found, 4e-6 * model.count_params()


def of_one() -> None:
    """Models one training on many machines, and writes the table."""
    steps, gradients = step_times()
    rows = []
    for count in WORKERS:
        step = steps[BATCH // count]
        ring = 2 * (
            count - 1
        )  # messages of an all-reduce, each a part of the gradients
        sent = ring / count * gradients * 1e6 / NETWORK if count > 1 else 0.0
        talk = 1e3 * (ring * LATENCY + sent)
        rows.append(
            (str(count), str(BATCH // count), f"{step:.0f}", f"{talk:.0f}",
             f"{steps[BATCH] / step:.1f}", f"{steps[BATCH] / (step + talk):.1f}")
        )  # fmt: skip
    head = (
        "workers", "texts of each", "ms of a step", "ms to exchange gradients",
        "speed-up if that were free", "speed-up",
    )  # fmt: skip
    text = [
        f"A step of GRU, batch {BATCH}, 200 tokens, one core a worker; "
        f"{gradients:.0f} MB of gradients over 1 Gbit/s, a ring:",
        "",
        *rounds.table(head, rows),
    ]
    marked.write(
        "one-training", "python benchmarks/scale.py one", "\n".join(text), PAGE
    )


def main(parts: Sequence[str]) -> None:
    """Measures what is asked for; by itself all."""
    if "cluster" in parts or not parts:
        of_cluster()
    if "one" in parts or not parts:
        of_one()


if __name__ == "__main__":
    main(sys.argv[1:])
