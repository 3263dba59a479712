"""One table over several data sets: is GRU ahead of LSTM more often than not?

Reads the finished comparisons in the folder of the runs and trains nothing. A data set
counts once, however often it was compared: the comparison with the most seeds, of these
one in which both cells have the same settings rather than each its own, then by name;
none of which looks at the outcome. The
built-in corpus is shown and does not count, for it is made up.

How often GRU is ahead is set beside a fair coin: the exact two-sided sign test, ties
left out (Conover 1999, Practical Nonparametric Statistics). It says nothing of how
large the differences are; their intervals do. Jozefowicz et al. (2015) and Greff et al.
(2017) compared the cells on several tasks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqclf.comparison.pairs import SIGNIFICANCE, bounds, difference
from seqclf.comparison.words import percent, signed
from seqclf.data import GENERATED
from seqclf.errors import RunError
from seqclf.marker import COMPARISON_FILE
from seqclf.records.comparison import ComparisonResult
from seqclf.records.dataset import DatasetInfo
from seqclf.report.figures import clipped, drawn, style
from seqclf.report.svg import INK
from seqclf.runs.comparisons import find_comparisons, read_comparison
from seqclf.steps import optional
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question, Record, Table

FIRST, SECOND = "gru", "lstm"


def about(models: Path) -> DatasetInfo:
    """Returns what stands for a data set: which comparisons there are, and what of.

    Raises:
      RunError: If no finished comparison has both cells.
    """
    digest = hashlib.sha256()
    rows, left_out = compared(models)
    digest.update("\n".join(left_out).encode())
    for row in rows:
        content = (models / row["comparison"] / COMPARISON_FILE).read_bytes()
        digest.update(row["comparison"].encode() + b"\0" + content)
    return DatasetInfo(
        name="comparisons",
        source="",
        fingerprint=digest.hexdigest()[:16],
        labels=(),
        sizes={},
    )


def run(question: Question, lab: Lab) -> Answer:
    """Counts on how many data sets GRU is ahead of LSTM.

    Returns:
      The answer. Its findings: data_sets (those that count), first and second (where
      GRU, where LSTM had the higher mean accuracy), ties, p (of the sign test, None
      without data sets), least_p (the smallest that so many could give), and told_apart
      (first, second, of: where the cells differ with p < 0.05 over seeds and texts, of
      the data sets with several seeds).

    Raises:
      RunError: If no finished comparison has both cells.
    """
    rows, left_out = compared(lab.target.models)
    findings = counted(rows)
    return Answer(
        study="wins",
        title="GRU beside LSTM, over data sets",
        sentence=sentence(findings),
        table=_table(rows),
        rows=tuple(rows),
        findings=findings,
        trials=sum(2 * row["seeds"] for row in rows if row["counts"]),
        notes=(*_notes(rows, findings), *left_out),
    )


def compared(models: Path) -> tuple[list[Record], list[str]]:
    """Reads the pair of GRU and LSTM from each finished comparison.

    Args:
      models: Folder of the runs.

    Returns:
      Records by data set, those that count first: data, comparison, n (test texts),
      seeds, own_settings (1 if the cells were tuned or matched, else 0), gru, lstm
      (accuracies), difference (of GRU over LSTM), low, high, p
      (of the cells; None with one seed, where low and high are those of the two
      models), is_synthetic and counts (1 or 0). And a sentence for each comparison
      that was left out because it is damaged.

    Raises:
      RunError: If there is none.
    """
    found: list[Record] = []
    left_out: list[str] = []
    for folder in find_comparisons(models):
        with optional(left_out.append, f"{folder} is left out"):
            found += _pair(folder, read_comparison(folder))
    if not found:
        none = f"{models} has no finished comparison of gru and lstm."
        said = "Make one for each of your data sets: seqclf compare --data FILE"
        raise RunError(" ".join([none, *left_out, said]))
    return _once_a_data_set(found), left_out


def _pair(folder: Path, result: ComparisonResult) -> list[Record]:
    """Returns a record of the pair; nothing where the comparison does not have it."""
    by_name = {row.name: row for row in result.rows}
    for pair in result.pairs:
        if {pair.a, pair.b} == {FIRST, SECOND} and pair.seeds:
            break
    else:
        return []
    sign = 1 if pair.a == FIRST else -1
    low, high = sorted(sign * end for end in bounds(pair))
    dataset = result.card.dataset
    record = {
        "data": dataset.name,
        "comparison": folder.name,
        "fingerprint": dataset.fingerprint,
        "n": by_name[FIRST].n,
        "seeds": len(pair.seeds),
        "own_settings": int(bool(result.card.chosen)),
        FIRST: by_name[FIRST].accuracy.mean,
        SECOND: by_name[SECOND].accuracy.mean,
        "difference": sign * difference(pair) + 0.0,  # no negative zero
        "low": low,
        "high": high,
        "p": pair.p,
        "is_synthetic": int(dataset.source == GENERATED),
    }
    return [record]


def _once_a_data_set(found: Sequence[Record]) -> list[Record]:
    """Says which comparison of a data set counts; see the module."""
    ordered = sorted(
        found,
        key=lambda row: (-row["seeds"], row["own_settings"], row["comparison"]),
    )
    seen: set[str] = set()
    rows = []
    for row in ordered:
        is_first = row["fingerprint"] not in seen
        seen.add(row["fingerprint"])
        counts = is_first and not row["is_synthetic"]
        rows.append(row | {"counts": int(counts)})
    return sorted(rows, key=lambda row: (-row["counts"], row["data"]))


def counted(rows: Sequence[Record]) -> Record:
    """Counts the signs, and tests them; returns the findings of `run`."""
    from scipy.stats import binomtest

    chosen = [row for row in rows if row["counts"]]
    first = sum(row["difference"] > 0 for row in chosen)
    second = sum(row["difference"] < 0 for row in chosen)
    decided = first + second
    several = [row for row in chosen if row["p"] is not None]
    apart = [row for row in several if row["p"] < SIGNIFICANCE]
    return {
        "data_sets": len(chosen),
        "first": first,
        "second": second,
        "ties": len(chosen) - decided,
        "p": float(binomtest(first, decided).pvalue) if decided else None,
        "least_p": min(2.0 ** (1 - decided), 1.0),
        "told_apart": {
            "first": sum(row["difference"] > 0 for row in apart),
            "second": sum(row["difference"] < 0 for row in apart),
            "of": len(several),
        },
    }


def sentence(findings: Record) -> str:
    """Says what the count supports, and no more."""
    n, first, second = (findings[key] for key in ("data_sets", "first", "second"))
    if not n:
        return (
            "No comparison of data of your own: that of the built-in corpus is shown, "
            "and does not count."
        )
    ties = f", and {findings['ties']} equal" if findings["ties"] else ""
    lead = (
        f"GRU had the higher test accuracy on {first} of {n} "
        f"data set{'s' * (n != 1)}, LSTM on {second}{ties}"
    )
    apart = findings["told_apart"]
    told = (
        f"Over seeds and texts GRU is better on {apart['first']}, LSTM on "
        f"{apart['second']}, of {apart['of']} with several seeds"
    )
    p = findings["p"]
    if p is None:
        return f"{lead}. {told}."
    test = f"sign test p = {p:.2g}"
    if p >= SIGNIFICANCE:
        return f"{lead} ({test}): that does not show which is ahead in general. {told}."
    ahead = "GRU" if first > second else "LSTM"
    return f"{lead} ({test}): {ahead} is ahead more often than chance. {told}."


def _table(rows: Sequence[Record]) -> Table:
    return Table(
        header=("data", "GRU, %", "LSTM, %", "difference", "95 % interval", "seeds"),
        rows=tuple(
            (
                name_of(row) + ("" if row["counts"] else " (not counted)"),
                percent(row[FIRST]),
                percent(row[SECOND]),
                signed(100 * row["difference"], 2),
                f"{signed(100 * row['low'], 2)} to {signed(100 * row['high'], 2)}"
                + ("" if row["p"] is not None else " *"),
                str(row["seeds"]),
            )
            for row in rows
        ),
    )


def name_of(row: Record) -> str:
    """Returns what a comparison is called in table and figure."""
    return str(row["comparison"]).removesuffix("-compare")


def _notes(rows: Sequence[Record], findings: Record) -> tuple[str, ...]:
    notes = [
        "Recipe, seeds and data are those of the comparisons found.",
        "In the picture, filled is over seeds, open one training of each, grey not "
        "counted.",
    ]
    decided = findings["first"] + findings["second"]
    if findings["least_p"] >= SIGNIFICANCE:
        notes.append(
            f"With {decided} data set{'s' * (decided != 1)} even a count all on one "
            f"side has p = {findings['least_p']:.2g}: six are needed for the sign test "
            f"to find anything."
        )
    if any(row["p"] is None for row in rows):
        notes.append(
            "* one training of each: the interval is of these two models on such "
            "texts, not of the cells."
        )
    if any(row["is_synthetic"] for row in rows):
        notes.append("The built-in corpus is synthetic, and does not count.")
    if any(not row["counts"] and not row["is_synthetic"] for row in rows):
        notes.append(
            "A data set that was compared more than once counts once: the most seeds, "
            "then equal settings before tuned or matched ones."
        )
    return tuple(notes)


def figure(answer: Answer) -> str:
    """Draws each difference with its interval; zero is marked.

    Filled: of the cells, over seeds; open: of two models; grey: not counted.
    """
    rows = answer.rows

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.axvline(0, color=INK, linewidth=0.8)
        for place, row in enumerate(rows):
            value, low, high = (100 * row[key] for key in ("difference", "low", "high"))
            reach = [[max(value - low, 0)], [max(high - value, 0)]]
            ahead = FIRST if row["difference"] >= 0 else SECOND
            look = style(ahead) | {"linestyle": "none"}
            if not row["counts"]:
                look["color"] = style("none")["color"]
            if row["p"] is None:
                look["markerfacecolor"] = "none"
            axes.errorbar([value], [place], xerr=reach, capsize=3, **look)
        names = [clipped(name_of(row)) for row in rows]
        axes.set_yticks(range(len(rows)), names)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel("GRU − LSTM, points of accuracy")
        above = {"transform": axes.transAxes, "va": "bottom", "fontsize": 9}
        axes.text(0, 1.02, "← LSTM better", ha="left", **above)
        axes.text(1, 1.02, "GRU better →", ha="right", **above)
        axes.grid(axis="x", alpha=0.25)

    return drawn(draw, "wins", 6.8, 1.2 + 0.36 * len(rows))
