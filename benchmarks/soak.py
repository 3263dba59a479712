"""Watches the memory of one process that predicts very much, or trains very often.

Run as ``python benchmarks/soak.py texts [TEXTS] [ROWS_A_PART]``, a million texts unless
given, or as ``python benchmarks/soak.py compare [TRIALS]``, 200 trainings unless given.
Prints the curve, writes it between the markers of docs/reliability.md if it is of full
length, and ends with 1 if the memory grew by more than a twentieth after the warm-up.
Linux only. The models are tiny: memory is what counts here, not speed.
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

import marked
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from seqclf.bulk import chunks, parts
from seqclf.cli import command_line

TEXTS, BLOCK = 1_000_000, 10_000
TRIALS = 200
MOST_GROWTH = 0.05
WORDS = [
    "good", "bad", "film", "meal", "very", "not", "but", "dull", "lovely", "never",
    "room", "play", "soup", "expected", "awful", "view", "and", "the", "of", "was",
]  # fmt: skip
TINY = ["--units=8", "--embedding-size=8", "--epochs=1", "--quiet"]
CELLS = ("rnn", "gru")
# A comparison draws its progress and its page too: --quiet would leave that out.
COMPARE = [
    "--data=rows.csv", f"--cells={','.join(CELLS)}", "--units=4", "--embedding-size=4",
    "--epochs=1", "--min-count=1",
]  # fmt: skip

Curve = list[tuple[int, float]]  # what is done by then, resident MB


def resident_mb(pid: int | str = "self") -> float:
    """Returns the memory that a process holds now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
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


def soak_texts(folder: Path, count: int) -> Curve:
    """Predicts texts with the command line, in this process.

    Args:
      folder: Where there is room for the run, the texts and the output.
      count: How many texts.

    Returns:
      The memory behind each part, and when all is written.
    """
    train = ["train", "--cell=gru", "--limit=400", *TINY]
    subprocess.run([sys.executable, "-m", "seqclf", *train], check=True, cwd=folder)
    models = folder / "models"
    file, output = folder / "texts.parquet", folder / "answers.parquet"
    write_texts(file, count)
    curve: Curve = []
    add = parts.Parts.add

    def watched(self: parts.Parts, table: pa.Table) -> None:
        add(self, table)
        curve.append((sum(self.rows), resident_mb()))

    parts.Parts.add = watched  # type: ignore[method-assign]
    command = ["predict", "--input", str(file), "--output", str(output), "--quiet"]
    command_line()([*command, f"--models-dir={models}"], standalone_mode=False)
    curve.append((parquet.read_metadata(output).num_rows, resident_mb()))
    return curve


def write_rows(file: Path, count: int = 60) -> None:
    """Writes a data set so small that a training takes a moment."""
    rows = [
        f"{('bad', 'good')[i % 2]} {WORDS[i % 20]} {i},{'bg'[i % 2]}"
        for i in range(count)
    ]
    file.write_text("\n".join(["text,label", *rows]) + "\n", "utf-8")


def soak_compare(folder: Path, trials: int) -> Curve:
    """Trains with one `seqclf compare`, and watches its process from outside.

    The trainings are processes of their own; what counts is the one that starts them.

    Args:
      folder: An empty folder.
      trials: How many trainings.

    Returns:
      The memory while so many runs were finished, from the first to the last but one:
      behind the last, tables and figures are made, which need libraries of their own.
    """
    write_rows(folder / "rows.csv")
    seeds = f"--seeds={trials // len(CELLS)}"
    held: dict[int, float] = {}
    with (folder / "said.txt").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "seqclf", "compare", seeds, *COMPARE],
            cwd=folder, stdout=said, stderr=said,
        )  # fmt: skip
        try:
            while process.poll() is None:
                done = len(list(folder.glob("models/rows-*-*/complete")))
                if 0 < done < trials:
                    held[done] = resident_mb(process.pid)
                time.sleep(0.1)
        finally:
            process.kill()  # if this was interrupted; else it has ended
    if process.returncode or done < trials:
        raise SystemExit(f"{done} of {trials}: {(folder / 'said.txt').read_text()}")
    return sorted(held.items())


def growth(curve: Curve) -> float:
    """Returns by what fraction the last tenth of the curve is above the second one.

    The first tenth is the warm-up. Medians, for memory comes and goes by the part.
    """
    tenth = max(len(curve) // 10, 1)
    megabytes = [mb for _, mb in curve]
    early = statistics.median(megabytes[tenth : 2 * tenth])
    return statistics.median(megabytes[-tenth:]) / early - 1


def shown(curve: Curve, what: str) -> list[str]:
    """Returns eleven places of the curve, the last among them, as a Markdown table."""
    places = sorted({round(i * (len(curve) - 1) / 10) for i in range(11)})
    rows = [f"| {curve[i][0]:,} | {curve[i][1]:.1f} |" for i in places]
    return [f"| {what} | resident MB |", "| ---: | ---: |", *rows]


def told(kind: str, count: int, curve: Curve) -> str:
    """Returns the curve, what it is of, and by how much it grew, as Markdown."""
    if kind == "texts":
        of = (
            f"{count:,} texts of 5 to 40 words through one `seqclf predict`, "
            f"{len(curve) - 1} parts of {chunks.CHUNK_ROWS:,} rows, a GRU of 8 units."
        )
    else:
        of = (
            f"{count} trainings through one `seqclf compare`: {' and '.join(CELLS)} "
            f"of 4 units, {count // len(CELLS)} seeds each; the process that starts "
            f"them, while the last of them runs at the latest."
        )
    grown = (
        f"From the second tenth of the curve to the last it grew by "
        f"{100 * growth(curve):.1f} % (medians; at most {100 * MOST_GROWTH:.0f} % is "
        f"allowed)."
    )
    what = "texts done" if kind == "texts" else "runs finished"
    return "\n".join([f"{of} {grown}", "", *shown(curve, what)])


def main(kind: str, given: Sequence[str]) -> None:
    """Prints, perhaps writes, and judges the curve."""
    soak, full = {"texts": (soak_texts, TEXTS), "compare": (soak_compare, TRIALS)}[kind]
    count = int(given[0]) if given else full
    if given[1:]:
        chunks.CHUNK_ROWS = int(given[1])
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        curve = soak(Path(folder), count)
    text = told(kind, count, curve)
    print(text, f"{time.monotonic() - began:.0f} s", sep="\n\n")
    if not given:
        marked.write(f"soak-{kind}", f"python benchmarks/soak.py {kind}", text)
    sys.exit(growth(curve) > MOST_GROWTH)


if __name__ == "__main__":
    if sys.argv[1:2] not in (["texts"], ["compare"]):
        raise SystemExit(__doc__)
    main(sys.argv[1], sys.argv[2:])
