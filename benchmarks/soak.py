"""Watches the memory of one process that predicts very many texts.

Run as ``python benchmarks/soak.py [TEXTS] [ROWS_A_PART]``; a million texts by default.
Prints the curve, writes it as a section of benchmarks/RESULTS.md if it was a million,
and ends with 1 if the memory grew by more than a twentieth after the warm-up. Linux
only. The model is a small GRU: memory is what counts here, not speed.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from seqclf.bulk import chunks, parts
from seqclf.cli import app

TEXTS, BLOCK = 1_000_000, 10_000
MOST_GROWTH = 0.05
WORDS = [
    "good", "bad", "film", "meal", "very", "not", "but", "dull", "lovely", "never",
    "room", "play", "soup", "expected", "awful", "view", "and", "the", "of", "was",
]  # fmt: skip
TINY = [
    "--cell=gru", "--units=8", "--embedding-size=8", "--epochs=1", "--limit=400",
    "--quiet",
]  # fmt: skip

Curve = list[tuple[int, float]]  # rows done, resident MB


def resident_mb() -> float:
    """Returns the memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def write_texts(file: Path, count: int) -> None:
    """Writes texts of 5 to 40 words, with a number each so that all differ."""
    draw = np.random.default_rng(0)
    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
    with parquet.ParquetWriter(file, schema) as writer:
        for start in range(0, count, BLOCK):
            ids = list(range(start, min(start + BLOCK, count)))
            texts = [
                f"{' '.join(draw.choice(WORDS, draw.integers(5, 41)))} word{i}"
                for i in ids
            ]
            writer.write_table(pa.table([ids, texts], schema=schema))


def soak(folder: Path, count: int) -> Curve:
    """Predicts the texts with the command line, in this process.

    Args:
      folder: Where there is room for the run, the texts and the output.
      count: How many texts.

    Returns:
      The memory behind each part, and when all is written.
    """
    train = [sys.executable, "-m", "seqclf", "train", *TINY]
    subprocess.run([*train, f"--models-dir={folder}"], check=True, cwd=folder)
    file, output = folder / "texts.parquet", folder / "answers.parquet"
    write_texts(file, count)
    curve: Curve = []
    add = parts.Parts.add

    def watched(self: parts.Parts, table: pa.Table) -> None:
        add(self, table)
        curve.append((sum(self.rows), resident_mb()))

    parts.Parts.add = watched  # type: ignore[method-assign]
    command = ["predict", "--input", str(file), "--output", str(output), "--quiet"]
    app([*command, f"--models-dir={folder}"], standalone_mode=False)
    curve.append((parquet.read_metadata(output).num_rows, resident_mb()))
    return curve


def growth(curve: Curve) -> float:
    """Returns by what fraction the last tenth of the curve is above the second one.

    The first tenth is the warm-up. Medians, for memory comes and goes by the part.
    """
    tenth = max(len(curve) // 10, 1)
    megabytes = [mb for _, mb in curve]
    early = statistics.median(megabytes[tenth : 2 * tenth])
    return statistics.median(megabytes[-tenth:]) / early - 1


def shown(curve: Curve) -> list[Sequence[object]]:
    """Returns eleven places of the curve, the last among them."""
    places = sorted({round(i * (len(curve) - 1) / 10) for i in range(11)})
    return [(f"{curve[i][0]:,}", f"{curve[i][1]:.0f}") for i in places]


def main() -> None:
    """Prints, perhaps writes, and judges the curve."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else TEXTS
    if len(sys.argv) > 2:
        chunks.CHUNK_ROWS = int(sys.argv[2])
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        curve = soak(Path(folder), count)
    grown = growth(curve)
    lines = ["| texts done | resident MB |", "| ---: | ---: |"]
    lines += [f"| {' | '.join(map(str, row))} |" for row in shown(curve)]
    told = (
        f"{count:,} texts of 5 to 40 words through one `seqclf predict`, "
        f"{len(curve) - 1} parts of {chunks.CHUNK_ROWS:,} rows, a GRU of 8 units. From "
        f"the second tenth of the curve to the last it grew by {100 * grown:.1f} % "
        f"(medians; at most {100 * MOST_GROWTH:.0f} % is allowed)."
    )
    if count == TEXTS:
        import rounds  # here, for it loads what would count as memory

        rounds.section(
            "Memory over a million texts", "python benchmarks/soak.py",
            [told, "", *lines],
        )  # fmt: skip
    else:
        print(told, *lines, sep="\n")
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(grown > MOST_GROWTH)


if __name__ == "__main__":
    main()
