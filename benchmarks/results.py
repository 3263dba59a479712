"""Trains the twins on real data sets and writes docs/results.md from what came out.

Run as ``python benchmarks/results.py [COMPARISON ...]``, with the data sets in
``../shared/data``. Finished runs are reused, so a cut campaign goes on where it was;
what was not compared here keeps the section that it has. The short table between the
markers of README.md is made of its section.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from seqclf.comparison.saved import read_details
from seqclf.data.load import DEMO
from seqclf.machine import processor
from seqclf.marker import COMPARISON_FILE
from seqclf.records.comparison import ComparisonResult
from seqclf.report import tables
from seqclf.report.page import word_order_said
from seqclf.runs.comparisons import read_comparison
from seqclf.system import cores
from seqclf.versions import package_versions
from seqclf.wording import counted

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
MODELS = Path(os.environ.get("SEQCLF_MODELS", ROOT / "models"))
RESULTS = ROOT / "docs" / "results.md"
NOTES = ROOT / "docs" / "results_notes.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """A comparison of the campaign.

    Attributes:
      data: Name of the data set.
      seeds: Trainings of each cell.
      tune: Trials a cell that choose its settings, or 0.
      limit: At most so many training texts, or all; the section is of them alone.
      group: The column of the films, see `with_films`.
      cells: The cells, or all.
      teacher: Runs of the plain comparison of the same data that teach twins which have
        had a language model, or None. Their labels on unlabelled texts are the lessons.
    """

    data: str
    seeds: int = 3
    tune: int = 0
    limit: int | None = None
    group: str | None = None
    cells: str | None = None
    teacher: str | None = None

    @property
    def name(self) -> str:
        """The directory of the comparison."""
        if self.teacher:
            return f"{self.data}-taught-{self.seeds}"
        if self.limit:
            return f"{self.data}-{self.limit}"
        return f"{self.data}-tuned-{self.tune}" if self.tune else f"{self.data}-compare"

    @property
    def title(self) -> str:
        """The heading of its section."""
        if self.teacher:
            return f"{self.data}, pre-trained and taught, {counted(self.seeds, 'seed')}"
        if self.limit:
            return f"{self.data}, {counted(self.limit, 'training text')}"
        return f"{self.data}, tuned" if self.tune else self.data

    @property
    def options(self) -> list[str]:
        """What is typed behind `seqclf compare --data NAME`."""
        given = ["--seeds", str(self.seeds)]
        if self.cells:
            given += ["--cells", self.cells]
        if self.limit:
            given += ["--limit", str(self.limit)]
        if self.group:
            given += ["--group-column", self.group]
        if self.teacher:
            given += ["--pretrain", "lm", "--teach", self.teacher]
        if self.tune:
            given += ["--tune", str(self.tune)]
        if self.tune or self.teacher or self.limit:
            given += ["--name", self.name]
        return given


FEW = 700
TEACHER = "imdb-gru-0+imdb-nb-svm"  # of the rows for that, the best on validation
CAMPAIGN = (
    Entry("imdb", group="film"),
    Entry("imdb", seeds=1, group="film", teacher=TEACHER),
    Entry("imdb", cells="gru", group="film", teacher=TEACHER),
    Entry("trec6", seeds=5),
    Entry("trec6", tune=8),
    Entry("mr"),
    Entry("ag_news_small"),
    Entry("banking77"),
    Entry("chnsenticorp_htl"),
    Entry("germeval2018"),
    Entry("tweeteval_emotion"),
    Entry("sms_spam"),
    Entry("20newsgroups", seeds=1),
    Entry("sst2", seeds=1),
    Entry("nsmc_raw_3class", seeds=1, limit=20_000),
    # Whether a training falls over: twenty of each cell.
    Entry("demo", seeds=20),
    Entry("imdb", seeds=20, limit=5_000),
    Entry("trec6", limit=FEW),
    Entry("mr", limit=FEW),
    Entry("ag_news_small", limit=FEW),
    Entry("germeval2018", limit=FEW),
    Entry("chnsenticorp_htl", limit=FEW),
)
README_SECTION = "## imdb\n"
README_ROWS = ("tf-idf + logistic regression", "nb-svm", "none", "rnn", "gru", "lstm")
FAR_BELOW = 0.03  # a gap to the linear baseline that has to be explained


def with_films(source: Path, target: Path) -> Path:
    """Writes a copy of IMDB whose rows say which film they are about; returns it.

    The Hub's parquet files leave the films out; the archive of Maas et al. 2011 has
    them in `urls_*.txt`, in the order of the reviews.
    """
    import pyarrow.parquet as pq

    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(source / "labels.json", target)
    for file in source.glob("*.parquet"):
        films = pq.read_table(source / "meta" / file.name)["movie"]
        table = pq.read_table(file).append_column("film", films)
        pq.write_table(table, target / file.name)
    return target


def compare(entry: Entry) -> None:
    """Runs the comparison as a user would, on a local copy of the data set."""
    source = Path(DEMO) if entry.data == DEMO else DATA / entry.data
    if entry.group == "film":
        source = with_films(source, MODELS / ".data" / entry.data)
    command = [sys.executable, "-m", "seqclf", "compare", f"--data={source}"]
    command += [*entry.options, f"--models-dir={MODELS}", "--quiet", "--json"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)


def section(entry: Entry, result: ComparisonResult, notes: dict[str, str]) -> str:
    """Returns the part of one comparison."""
    name = entry.title
    dataset = result.card.dataset
    sizes = ", ".join(f"{n:,} {split}" for split, n in dataset.sizes.items())
    parts = [
        f"## {name}",
        f"{len(dataset.labels)} labels; {sizes}. Fingerprint "
        f"`{dataset.fingerprint}`. {result.date}, {machine()}.",
        f"    seqclf compare --data {entry.data} {' '.join(entry.options)}",
        tables.markdown(result),
    ]
    details = read_details(MODELS / entry.name)
    if details:
        parts.append(word_order_said(result.rows, details.word_order))
    if name in notes:
        parts.append(notes[name])
    elif gap(result) > FAR_BELOW:
        raise SystemExit(f"{name}: {gap(result):.3f} below; say why in {NOTES.name}")
    return "\n\n".join(parts)


def sections(page: str) -> dict[str, str]:
    """Returns the sections of the page as it stands, by their headings."""
    found = re.split(r"^## (.+)$", page, flags=re.MULTILINE)[1:]
    pairs = zip(found[::2], found[1::2], strict=True)
    return {title: f"## {title}{body}".strip() for title, body in pairs}


def gap(result: ComparisonResult) -> float:
    """Returns how far the best twin is below the best baseline, a fraction."""
    best = {
        kind: max(r.accuracy.mean for r in result.rows if r.kind == kind)
        for kind in ("baseline", "twin")
    }
    return best["baseline"] - best["twin"]


def machine() -> str:
    """Says what the times were measured on, since other sections may be of another."""
    return f"{cores()} cores of {processor()}, no GPU"


def head() -> str:
    """Returns what stands above all tables."""
    versions = ", ".join(f"{k} {v}" for k, v in package_versions().items())
    return "\n\n".join(
        [
            "# Results on real data",
            "Written by `python benchmarks/results.py`, on local copies of the data "
            "sets; what stands behind `--data` is the folder of such a copy. No option "
            f"but those shown is given. {versions}. Written "
            f"{datetime.datetime.now(datetime.UTC).date()}.",
            "Sections of 2026-11-21 are of 0.1.0, kept until they are made again: "
            "since then probabilities are calibrated, `nb-svm` counts three words, "
            "rows for means have come, fewer than 6,000 texts have smaller batches "
            "([recipe.md](recipe.md)), texts are read further than they were trained "
            "on, and cells are compared otherwise ([statistics.md](statistics.md)).",
            "The twins were timed in a pass of its own behind the trainings, in turns "
            "on the same batches (`timed alone`); seconds to the best epoch are those "
            "of an epoch times their number. Baselines were timed as they were fitted.",
            "Settings were chosen on validation data; one test score of imdb prompted "
            "a search on validation, and test scores of earlier recipes had been seen: "
            "[recipe.md](recipe.md#test-scores-that-were-seen-before) says which. Each "
            "test split was scored once for each training of the frozen recipe, and "
            "all of those scores stand here.",
        ]
    )


def tables_in(section: str) -> list[dict[str, dict[str, str]]]:
    """Returns the tables of a section: of each its rows by their first column."""
    found: list[dict[str, dict[str, str]]] = []
    names: list[str] = []
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            names = []
        elif not names:
            names = cells
            found.append({})
        elif not set(line) <= set("|-: "):
            found[-1][cells[0]] = dict(zip(names, cells, strict=True))
    return found


def readme_table(section: str) -> str:
    """Returns the short table of a section: scores and cost of six rows."""
    scores, *_, cost = tables_in(section)
    head = ("", "accuracy %", "95 % interval", "s per epoch", "ms per text")
    lines = [head, ("---", *["---:"] * 4)]
    for name in README_ROWS:
        seconds = cost[name]["s per epoch"].replace("–", "")
        each = cost[name]["ms per text"].replace("–", "")
        row = scores[name]
        lines.append((name, row["accuracy %"], row["95 % interval"], seconds, each))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def fill_readme(section: str) -> None:
    """Writes the short IMDB table between the markers of README.md."""
    readme = ROOT / "README.md"
    before, rest = readme.read_text("utf-8").split("<!-- imdb -->\n", 1)
    after = rest.split("<!-- /imdb -->", 1)[1]
    body = f"<!-- imdb -->\n{readme_table(section)}\n<!-- /imdb -->"
    readme.write_text(before + body + after, encoding="utf-8")


def main(names: list[str]) -> None:
    """Runs what is asked for, and writes what is there."""
    for entry in CAMPAIGN:
        if not names or entry.name in names:
            print(entry.name, flush=True)
            compare(entry)
    notes = json.loads(NOTES.read_text("utf-8"))
    kept = sections(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    parts = [head()]
    for entry in CAMPAIGN:
        if (MODELS / entry.name / COMPARISON_FILE).exists():
            result = read_comparison(MODELS / entry.name)
            parts.append(section(entry, result, notes))
        elif entry.title in kept:
            parts.append(kept[entry.title])
    RESULTS.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    for part in parts:
        if part.startswith(README_SECTION):
            fill_readme(part)


if __name__ == "__main__":
    main(sys.argv[1:])
