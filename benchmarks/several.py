"""Makes a data set with several labels a text, compares on it, and writes the table.

Run as ``python benchmarks/several.py``, with IMDB in ``../shared/data``. Two columns of
it become two labels of a review: `positive` (its label) and `strong` (1 or 10 of 10
stars), so that there are reviews with both, one or none. Rows are drawn, for speed:
3,000 to train on and 3,000 to test on. The runs are kept in ``models/several``; the
table is put between the markers of docs/several.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import marked
import numpy as np
import pyarrow.parquet as pq

from seqclf.report import tables
from seqclf.report.table import to_markdown
from seqclf.runs.comparisons import read_comparison

ROOT = Path(__file__).parents[1]
IMDB = ROOT.parent / "shared" / "data" / "imdb"
MODELS = ROOT / "models" / "several"
PAGE = ROOT / "docs" / "several.md"
ROWS, STRONG = 3000, (1, 10)
SHOWN = ("quality", "combined", "further", "pairs")
OPTIONS = ("--cells", "none,gru", "--seeds", "3", "--max-length", "200")


def labels_of(positive: int, stars: int) -> list[str]:
    """Returns the labels of a review."""
    flags = {"positive": positive == 1, "strong": stars in STRONG}
    return [label for label, applies in flags.items() if applies]


def write_split(split: str, folder: Path) -> None:
    """Writes some rows of a split as JSON Lines."""
    table = pq.read_table(IMDB / f"{split}.parquet")
    stars = pq.read_table(IMDB / "meta" / f"{split}.parquet")["rating"]
    rows = np.random.default_rng(0).permutation(table.num_rows)[:ROWS]
    with (folder / f"{split}.jsonl").open("w", encoding="utf-8") as file:
        for row in np.sort(rows).tolist():
            labels = labels_of(table["label"][row].as_py(), stars[row].as_py())
            text = table["text"][row].as_py()
            file.write(json.dumps({"text": text, "labels": labels}) + "\n")


def main() -> None:
    """Makes the data set if it is not there, compares, and writes the table."""
    folder = MODELS / ".data" / "stars"
    if not folder.exists():
        partial = folder.with_name("partial")
        partial.mkdir(parents=True, exist_ok=True)
        for split in ("train", "test"):
            write_split(split, partial)
        partial.rename(folder)
    command = [sys.executable, "-m", "seqclf", "compare", f"--data={folder}", *OPTIONS]
    command += [f"--models-dir={MODELS}", "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    result = read_comparison(MODELS / "stars-compare")
    found = tables.tables_of(result)
    shown = [found[name] for name in SHOWN if name in found]
    parts = [*(to_markdown(table) for table in shown), result.verdict]
    typed = f"seqclf compare --data stars {' '.join(OPTIONS)}"
    marked.write("stars", typed, "\n\n".join(parts), PAGE)
    print("\n\n".join(parts))


if __name__ == "__main__":
    main()
