"""Times the way from a file of texts to cached token ids.

Run as ``python benchmarks/encoding.py``; writes its section of benchmarks/RESULTS.md
and docs/encoding.svg. IMDB's train split against Keras's TextVectorization, on one core
and on all; then files of up to five million made-up rows.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import rounds
from pyarrow import parquet

from seqclf.system import cores

FIGURE = rounds.HERE.parent / "docs" / "encoding.svg"
ROWS = (10_000, 100_000, 1_000_000, 5_000_000)
BLOCK = 50_000


def write_rows(file: Path, count: int) -> None:
    """Writes texts of 5 to 15 words from 50,000, frequent ones frequent, two labels."""
    rng = np.random.default_rng(0)
    words = pa.array([f"w{i}" for i in range(50_000)])
    ranks = np.minimum(rng.pareto(1.0, 200_000) * 5, 49_999).astype(np.int64)
    schema = pa.schema([("text", pa.string()), ("label", pa.int64())])
    with parquet.ParquetWriter(file, schema) as writer:
        for start in range(0, count, BLOCK):
            lengths = rng.integers(5, 16, min(BLOCK, count - start))
            offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
            drawn = words.take(
                pa.array(ranks[rng.integers(0, len(ranks), offsets[-1])])
            )
            texts = pc.binary_join(pa.ListArray.from_arrays(offsets, drawn), " ")
            labels = np.arange(start, start + len(lengths)) % 2
            writer.write_table(pa.table([texts, labels], schema=schema))


def of_imdb(folder: Path) -> list[str]:
    """Returns the table of IMDB's train split."""
    source = folder / "imdb"
    source.mkdir()
    (source / "train.parquet").symlink_to(rounds.DATA / "imdb" / "train.parquet")
    common = {"cache": str(folder / "cache"), "warm": True}
    with contextlib.ExitStack() as stack:
        contenders = {
            "seqclf, one core": rounds.Contender(
                "encode.py", by="seqclf", source=str(source), cores=1, **common
            ),
            f"seqclf, {cores()} cores": rounds.Contender(
                "encode.py", by="seqclf", source=str(source), cores=None, **common
            ),
            "TextVectorization, one core": rounds.Contender(
                "encode.py",
                by="keras",
                source=str(source / "train.parquet"),
                cores=1,
                **common,
            ),
        }
        for contender in contenders.values():
            stack.enter_context(contender)
        figures = rounds.in_turns(contenders)
    ours = figures["seqclf, one core"]["seconds"]
    return rounds.table(
        ("25,000 reviews", "s", "as fast as seqclf", "from the cache, s",
         "peak MB above bare Python"),
        [
            (name, f"{f['seconds']:.2f}", f"{ours / f['seconds']:.2f}",
             f"{f['opened']:.3f}" if f["opened"] else "–", f"{f['above_bare_mb']:.0f}")
            for name, f in figures.items()
        ],
    )  # fmt: skip


def of_many_rows(folder: Path) -> tuple[list[str], list[tuple[int, float]]]:
    """Returns the table of the made-up files, and (tokens, ns a token) of each."""
    rows, points = [], []
    for count in ROWS:
        source = folder / str(count)
        source.mkdir()
        write_rows(source / "train.parquet", count)
        with rounds.Contender(
            "encode.py", by="seqclf", source=str(source), cache=str(folder / "cache"),
            cores=1, warm=count < 10**6,
        ) as contender:  # fmt: skip
            answers = rounds.in_turns({"seqclf": contender}, 1 if count > 10**6 else 5)
        figures = answers["seqclf"]
        ns = 1e9 * figures["seconds"] / figures["tokens"]
        points.append((int(figures["tokens"]), ns))
        rows.append(
            (
                f"{count:,}",
                f"{figures['tokens'] / 1e6:.1f}",
                f"{figures['seconds']:.2f}",
                f"{ns:.0f}",
                f"{figures['above_bare_mb']:.0f}",
            )
        )
    header = ("made-up rows", "M tokens", "s", "ns a token", "peak MB above bare")
    return rounds.table(header, rows), points


def draw(points: list[tuple[int, float]]) -> None:
    """Draws ns a token over tokens; matplotlib is in the peers' environment."""
    code = (
        "import json, sys, matplotlib; matplotlib.use('svg')\n"
        "from matplotlib import pyplot as plt\n"
        "points, file = json.loads(sys.argv[1]), sys.argv[2]\n"
        "figure, axes = plt.subplots(figsize=(6, 3.2), layout='constrained')\n"
        "axes.plot(*zip(*points), marker='o')\n"
        "axes.set_xscale('log'); axes.set_ylim(0)\n"
        "axes.set_xlabel('tokens in the file'); axes.set_ylabel('ns a token')\n"
        "axes.spines[['top', 'right']].set_visible(False)\n"
        "figure.savefig(file, metadata={'Date': None})\n"
    )
    command = [rounds.peers_python(), "-c", code, json.dumps(points), str(FIGURE)]
    subprocess.run(command, check=True)


def main() -> None:
    """Prints and writes the tables and the figure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        imdb = of_imdb(folder)
        many, points = of_many_rows(folder)
    draw(points)
    rounds.section(
        "Encoding",
        "python benchmarks/encoding.py",
        [
            "From Parquet to cached Arrow ids: reading, fingerprint, hold-outs, "
            "checks, tokens, vocabulary. TextVectorization reads the same texts, "
            "adapts to them and encodes them. Imports are not counted. Median of "
            f"{rounds.ROUNDS} rounds in turns (five million rows: one).",
            "",
            *imdb,
            "",
            *many,
            "",
            "![ns a token over tokens](../docs/encoding.svg)",
        ],
    )


if __name__ == "__main__":
    main()
