"""Trains the twins on real data sets and writes docs/results.md from what came out.

Run as ``python benchmarks/results.py [NAME ...]``, with the data sets in
``../shared/data``. Finished runs are reused, so a cut campaign goes on where it was.
Tables between the markers of README.md are written too.
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import rounds

from seqclf.comparison.saved import COMPARISON_FILE
from seqclf.engine import cores
from seqclf.report import tables
from seqclf.training.trial import package_versions

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
MODELS = Path(os.environ.get("SEQCLF_MODELS", ROOT / "models"))
RESULTS = ROOT / "docs" / "results.md"
NOTES = ROOT / "docs" / "results_notes.json"

NAMES = (
    "imdb", "trec6", "ag_news_small", "banking77", "mr", "chnsenticorp_htl",
    "germeval2018",
)  # fmt: skip
FAR_BELOW = 0.03  # a gap to the linear baseline that has to be explained


def compare(name: str) -> None:
    """Runs the comparison as a user would, on a local copy of the data set."""
    command = [sys.executable, "-m", "seqclf", "compare", f"--data={DATA / name}"]
    command += ["--seeds=1", f"--models-dir={MODELS}", "--quiet", "--json"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)


def section(name: str, result: dict[str, Any], notes: dict[str, str]) -> str:
    """Returns the part of one data set."""
    dataset = result["card"]["dataset"]
    sizes = ", ".join(f"{n:,} {split}" for split, n in dataset["sizes"].items())
    parts = [
        f"## {name}",
        f"{len(dataset['labels'])} labels; {sizes}. Fingerprint "
        f"`{dataset['fingerprint']}`. {result['date']}.",
        f"    seqclf compare --data {name} --seeds 1",
        tables.markdown(result),
    ]
    if name in notes:
        parts.append(notes[name])
    elif gap(result) > FAR_BELOW:
        raise SystemExit(f"{name}: {gap(result):.3f} below; say why in {NOTES.name}")
    return "\n\n".join(parts)


def gap(result: dict[str, Any]) -> float:
    """Returns how far the best twin is below the best baseline, a fraction."""
    best = {
        kind: max(r["accuracy"]["mean"] for r in result["rows"] if r["kind"] == kind)
        for kind in ("baseline", "recurrent")
    }
    return best["baseline"] - best["recurrent"]


def head() -> str:
    """Returns what stands above all tables."""
    versions = ", ".join(f"{k} {v}" for k, v in package_versions().items())
    return "\n\n".join(
        [
            "# Results on real data",
            "Written by `python benchmarks/results.py`. Every figure is one training a "
            "cell (seed 0) of the default recipe, without any option but the data, on "
            "local copies of the data sets; `NAME` in the commands is the folder of "
            f"such a copy. Machine: {cores()} cores of {rounds.cpu()}, no GPU. "
            f"{versions}. Written {datetime.datetime.now(datetime.UTC).date()}.",
            "The twins were timed in a pass of its own behind the trainings, in turns "
            "on the same batches (`timed alone`); seconds to the best epoch are those "
            "of an epoch times their number. Baselines were timed as they were fitted.",
            "The recipe was chosen on validation data only ([recipe.md](recipe.md)). "
            "Each test split was scored once for each training of the frozen recipe, "
            "and all of those scores stand here; those of earlier recipes stand in "
            "[results_earlier.md](results_earlier.md).",
        ]
    )


def fill_readme(result: dict[str, Any]) -> None:
    """Writes the IMDB table between the markers of README.md."""
    readme = ROOT / "README.md"
    before, rest = readme.read_text("utf-8").split("<!-- imdb -->\n", 1)
    after = rest.split("<!-- /imdb -->", 1)[1]
    said = (
        f"IMDB, official split, {result['date']}, {cores()} cores of {rounds.cpu()}, "
        f"no GPU, `seqclf compare --data imdb --seeds 1` on a local copy of the data "
        f"set:"
    )
    body = f"<!-- imdb -->\n{said}\n\n{tables.markdown(result)}\n\n<!-- /imdb -->"
    readme.write_text(before + body + after, encoding="utf-8")


def main(names: list[str]) -> None:
    """Runs what is asked for, and writes what is there."""
    for name in names or NAMES:
        print(name, flush=True)
        compare(name)
    notes = json.loads(NOTES.read_text("utf-8"))
    parts = [head()]
    for name in NAMES:
        file = MODELS / f"{name}-compare" / COMPARISON_FILE
        if file.exists():
            result = json.loads(file.read_text("utf-8"))
            parts.append(section(name, result, notes))
            if name == "imdb":
                fill_readme(result)
    RESULTS.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
