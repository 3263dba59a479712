"""Times `seqclf serve` beside the least server there can be, under the same client.

Run as ``python benchmarks/serving.py [--soak SECONDS]``; writes its section of
benchmarks/RESULTS.md. Reviews of mr, a text a request, over loopback; an LSTM of the
default recipe. Client and server share the cores.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rounds
from pyarrow import parquet

from seqclf.classifier import Classifier

REQUESTS = {1: 1500, 16: 4000, 64: 4000}  # by connections
BATCH, BATCHES = 1000, 8
PATH = "/v1/models/default:predict"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a client saw: requests a second, and milliseconds of single ones."""

    rate: float
    p50: float
    p99: float


@contextlib.contextmanager
def server(command: Sequence[str], sign: str) -> Iterator[tuple[str, int]]:
    """Starts a server; yields its address, told with `sign`, and its process."""
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    said: Any = process.stdout
    line = ""
    while sign not in line:
        line = said.readline()
        if not line:
            raise SystemExit(f"{command} ended with {process.wait()}")
    (address,) = re.findall(r"http://[\d.]+:\d+", line)
    try:
        yield address, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


async def load(
    address: str, bodies: Sequence[bytes], connections: int, requests: int
) -> Measured:
    """Asks over connections that are kept, each one request after another."""
    host, port = address.removeprefix("http://").split(":")
    left, taken = iter(range(requests)), []

    async def ask() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for number in left:
            body = bodies[number % len(bodies)]
            start = time.perf_counter()
            head = (
                f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}"
            )
            writer.write(f"{head}\r\n\r\n".encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(re.findall(rb"content-length: (\d+)", answer)[0])
            await reader.readexactly(length)
            taken.append(time.perf_counter() - start)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(answer.decode())
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(connections)))
    seconds = time.perf_counter() - start
    p50, p99 = (1000 * float(np.quantile(taken, q)) for q in (0.5, 0.99))
    return Measured(requests / seconds, p50, p99)


def bodies_of(texts: Sequence[str], size: int) -> list[bytes]:
    """Returns requests of so many texts each."""
    starts = range(0, len(texts) - size + 1, size)
    return [json.dumps({"instances": texts[i : i + size]}).encode() for i in starts]


def single_texts(
    servers: dict[str, str], texts: Sequence[str]
) -> list[tuple[str, ...]]:
    """Returns the rows of the first table, medians of rounds in turns."""
    bodies, rows = bodies_of(texts[:1000], 1), []
    for connections, requests in REQUESTS.items():
        found: dict[str, list[Measured]] = {name: [] for name in servers}
        for _ in range(rounds.ROUNDS + 1):  # the first warms up
            for name, address in servers.items():
                once = load(address, bodies, connections, requests)
                found[name].append(asyncio.run(once))
        ratio = statistics.median(
            ours.rate / bare.rate
            for ours, bare in zip(*(all_[1:] for all_ in found.values()), strict=True)
        )
        for name, all_ in found.items():
            rate, p50, p99 = (
                statistics.median(getattr(one, key) for one in all_[1:])
                for key in ("rate", "p50", "p99")
            )
            shown = f"{ratio:.2f}" if name == next(iter(servers)) else ""
            rows.append(
                (name, str(connections), f"{rate:.0f}", shown, f"{p50:.2f}",
                 f"{p99:.2f}", f"{p99 / p50:.1f}")
            )  # fmt: skip
            print(rows[-1], flush=True)
    return rows


def batches(address: str, run: str, texts: Sequence[str]) -> float:
    """Returns how fast requests of many texts are beside `Classifier.predict_proba`."""
    classifier, ratios = Classifier.open(run), []
    bodies = bodies_of(texts, BATCH)[:BATCHES]
    parts = [list(texts[i * BATCH : (i + 1) * BATCH]) for i in range(len(bodies))]
    for _ in range(rounds.ROUNDS + 1):
        start = time.perf_counter()
        for part in parts:
            classifier.predict_proba(part)
        alone = time.perf_counter() - start
        served = len(bodies) / asyncio.run(load(address, bodies, 1, len(bodies))).rate
        ratios.append(alone / served)
    return statistics.median(ratios[1:])


def soak(address: str, pid: int, texts: Sequence[str], seconds: float) -> list[float]:
    """Asks over 64 connections for so long; returns the server's MB, at ten moments."""
    bodies, memory = bodies_of(texts[:1000], 1), []
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(memory) < 10:
        until = time.monotonic() + seconds / 10
        while time.monotonic() < until:
            asyncio.run(load(address, bodies, 64, 1000))
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
        memory.append(int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1000)
    return memory


def main() -> None:
    """Prints and writes the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--soak", type=float, default=60.0, help="seconds")
    asked = parser.parse_args()
    texts = parquet.read_table(rounds.DATA / "mr" / "train.parquet")["text"].to_pylist()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEQCLF_MODELS"] = folder
        train = ["-m", "seqclf", "train", "--cell=lstm", "--epochs=1", "--quiet"]
        train += [f"--data={rounds.DATA / 'mr'}", f"--cache-dir={folder}/cache"]
        subprocess.run([sys.executable, *train], check=True, capture_output=True)
        run = f"{folder}/mr-lstm-0"
        bare_script = str(rounds.HERE / "workers" / "serve_bare.py")
        ours = ["-m", "seqclf", "serve", run, "--port=0"]
        with (
            server(ours, "Look at it") as (address, pid),
            server([bare_script, json.dumps({"run": run})], "http") as (bare, _),
        ):
            servers = {"seqclf serve": address, "bare Starlette": bare}
            rows = single_texts(servers, texts)
            ratio = batches(address, run, texts)
            memory = soak(address, pid, texts, asked.soak)
    header = ("server", "connections", "requests/s", "× bare", "p50 ms", "p99 ms",
              "p99 / p50")  # fmt: skip
    grown = 100 * (memory[-1] / memory[1] - 1)
    rounds.section(
        "Serving",
        "python benchmarks/serving.py",
        [
            f"A review of mr a request, over loopback, median of {rounds.ROUNDS} "
            f"rounds in turns; client and server share the cores. Bare Starlette calls "
            f"`Classifier.predict_proba` in its handler.",
            "",
            *rounds.table(header, rows),
            "",
            f"{BATCH:,} texts a request: {ratio:.2f} of the speed of "
            f"`Classifier.predict_proba` alone. {asked.soak:.0f} s at 64 connections: "
            f"no error, memory {memory[0]:.0f} MB after a tenth of it, {memory[1]:.0f} "
            f"after two, {memory[-1]:.0f} at the end ({grown:+.1f} % since two).",
        ],
    )


if __name__ == "__main__":
    main()
