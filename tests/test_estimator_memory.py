"""Fits one after the other in one process: what a search takes, it gives back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import reviews
from scipy.stats import theilslopes

MOST = 5.0  # megabytes a fit
FITS, SETTLED = 20, 3  # the first few load what all later ones use

# How much memory the process holds, in MB, behind each fit.
SCRIPT = """
import json, os, sys
from pathlib import Path
from seqclf import SequenceClassifier

def held():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
for turn in range(given["fits"]):
    settings = given["settings"][turn % len(given["settings"])]
    one = SequenceClassifier(epochs=1, random_state=turn, **settings)
    one.fit(given["texts"], given["labels"]).predict(given["texts"][:50])
    print(held(), flush=True)
"""
SAME = [{"cell": "gru", "units": 16, "embedding_size": 16}]
SEARCH = [  # three times each, so that growth and difference are not taken for another
    {"cell": cell, "units": units, "embedding_size": 64, "pooling": pooling}
    for cell, units, pooling in (
        ("lstm", 8, "max"), ("rnn", 32, "attention"), ("none", 8, "mean"),
    )
]  # fmt: skip


def held_behind_each_fit(folder: Path, settings: list[dict], fits: int) -> list[float]:
    rows = reviews(240)
    given = {
        "settings": settings,
        "fits": fits,
        "texts": [text for text, _ in rows],
        "labels": [label for _, label in rows],
    }
    (folder / "given.json").write_text(json.dumps(given), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder / "given.json")],
        capture_output=True,
        encoding="utf-8",
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return [float(line) for line in done.stdout.split()]


@pytest.mark.slow
@pytest.mark.parametrize("settings", [SAME, SEARCH], ids=["same", "search"])
def test_fits_four_to_twenty_grow_by_five_megabytes_at_most(tmp_path, settings):
    held = held_behind_each_fit(tmp_path, settings, FITS)[SETTLED:]
    # The median slope of all pairs: one fit that took more for a while is no growth.
    assert theilslopes(held).slope <= MOST, held
