"""The comparison as a page: one file, no network, from saved files only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seqclf.cells import DENSE
from seqclf.clock import took
from seqclf.comparison.draws import FOLDS, SPLIT
from seqclf.comparison.metric import METRICS
from seqclf.comparison.said import in_words, titles
from seqclf.data.dataset import VALIDATION
from seqclf.records.comparison import ComparisonResult, Row
from seqclf.records.dataset import DatasetInfo
from seqclf.records.details import Agreement, Details, WordOrder
from seqclf.report import cost_figure, figures, sentences, tables
from seqclf.report.page.comparison_tables import page_tables
from seqclf.report.page.render import render, trusted
from seqclf.report.page.sections import Section, contents, prepared
from seqclf.report.page.terms import TERMS
from seqclf.report.pair_table import compared
from seqclf.wording import (
    counted,
    joined,
    percent,
    points,
)

LITTLE = 0.01  # of accuracy: less is next to nothing


def page(
    result: ComparisonResult,
    details: Details | None = None,
    sections: Sequence[Section] = (),
    microscope: str | None = None,
) -> str:
    """Returns the HTML of a comparison, with what studies found after the rest.

    Texts, labels and names are data: they are escaped, and the page's policy lets no
    script run but its own. Without details, or with those of other rows, what they show
    is missing. `microscope` is the name of the page beside it in which one watches the
    twins.
    """
    details = of_rows(details, result)
    studies = prepared(sections)
    drawn = drawings(result, details)
    return render(
        "page.html",
        figures={name: trusted(svg) for name, svg in drawn.items()},
        studies=studies,
        microscope=microscope,
        sections=_sections(result, details) + contents(studies),
        **page_tables(result, details),
        **_words(result, details),
    )


def of_rows(details: Details | None, result: ComparisonResult) -> Details | None:
    """Returns the details if they are of the comparison's own rows, else None."""
    is_own = details and set(details.curves) == {row.name for row in result.twins}
    return details if is_own else None


def drawings(result: ComparisonResult, details: Details | None) -> dict[str, str]:
    """Returns the drawings by name, SVG; an empty text where there is nothing to draw.

    `accuracies`, `differences` and `costs`; with details, see `of_rows`, `curves`,
    `by_length`, `word_order`, `confusions` and `calibrations`, too.
    """
    pairs = compared(result)
    drawn = {
        "accuracies": figures.accuracies(result.rows),
        "differences": figures.differences(pairs) if pairs else "",
        "costs": cost_figure.costs(result.rows),
    }
    if details:
        by_length = [group for group in details.groups if group.by == "length"]
        drawn |= {
            "curves": figures.curves(details.curves),
            "by_length": figures.by_length(by_length),
            "word_order": figures.word_order(details.word_order),
            "confusions": figures.confusions(details.confusion, details.labels),
            "calibrations": figures.calibrations(details.calibration),
        }
    return drawn


def _words(result: ComparisonResult, details: Details | None) -> dict[str, object]:
    """Returns the text between tables and figures, by its name in the template."""
    dataset, n = result.card.dataset, f"{result.rows[0].n:,}"
    names = titles(result.rows)
    return {
        "title": f"{joined([row.name for row in result.twins])} on {dataset.name}",
        "verdict": result.verdict,
        "about": _about(result),
        "missing": result.missing,
        "n": n,
        "n_validation": _size(dataset, VALIDATION),
        "metric": METRICS[result.metric],
        "majority_said": figures.majority_said(result.rows),
        "speed_said": cost_figure.speed_said(result.rows),
        "terms": TERMS.items(),
        "differences": [in_words(pair, names) for pair in compared(result)],
        "card_said": sentences.held_equal(result.card),
        "failed_said": sentences.failed_said(result),
        "command": result.command or "seqclf compare",
        "took": took(result.phases),
        "runs": [run for row in result.twins for run in row.runs],
        "details": details,
        **(_words_of_details(details, result.rows) if details else {"versions": ""}),
    }


def _about(result: ComparisonResult) -> str:
    dataset, n = result.card.dataset, result.rows[0].n
    date = f"; {result.date}" if result.date else ""
    cells = {row.cell for row in result.twins}
    dense = ", dense has a dense layer in its place" if DENSE.name in cells else ""
    drew = ""
    if result.card.vary == FOLDS:
        drew = ", and for the part of the texts that it was tested on"
    if result.card.vary == SPLIT:
        drew = ", and for the texts that it drew to learn from, the same for all cells"
    return (
        f"{n:,} test texts; {tables.seeds_said(result)}; data {dataset.name}, "
        f"fingerprint {dataset.fingerprint}{date}. Twins are networks that are equal "
        "but for the recurrent cell: rnn is Keras's SimpleRNN, none leaves the cell "
        f"out{dense}. A seed stands for a random start and an order of the batches"
        f"{drew}."
    )


def _size(dataset: DatasetInfo, split: str) -> str:
    """Returns the texts of a split and a space; nothing where that was not saved."""
    size = dataset.sizes.get(split)
    return f"{size:,} " if size else ""


def _sections(
    result: ComparisonResult, details: Details | None
) -> list[tuple[str, str]]:
    shown = {
        "good": "Test scores",
        "price": "Cost",
        "tuning": "Tuning" if result.tuning else "",
        "learning": "Learning curves" if details else "",
        "differ": "Where they differ" if details else "",
        "texts": "Texts" if details and details.examples else "",
        "errors": "Errors and confidence" if details else "",
        "card": "The twin card",
        "terms": "Terms",
        "again": "Reproduce",
    }
    return [(id_, name) for id_, name in shown.items() if name]


def _words_of_details(details: Details, rows: Sequence[Row]) -> dict[str, object]:
    environment, found, names = details.environment, details.agreement, titles(rows)
    versions = ", ".join(f"{k} {v}" for k, v in environment.versions.items())
    return {
        "agreement": _agreement(found, names) if found else [],
        "agreement_seed": found.seeds[0] if found else 0,
        "order_said": word_order_said(rows, details.word_order),
        "examples": details.examples,
        "cells": {cell: names[cell] for cell in details.curves},
        "labels": tuple(dict.fromkeys(one.label for one in details.examples)),
        "kinds_of_groups": list(dict.fromkeys(part.by for part in details.groups)),
        "versions": f"{versions}; Python {environment.python}, "
        f"{environment.device}, {environment.platform}.",
    }


def _agreement(found: Agreement, names: Mapping[str, str]) -> list[str]:
    """Returns how often the cells agree, in sentences."""
    only = [
        f"{names[cell]} {percent(share)} %" for cell, share in found.only_right.items()
    ]
    return [
        f"The mean over {counted(len(found.seeds), 'seed')}: "
        f"all cells give the same answer to {percent(found.all_alike)} % of the "
        f"test texts; every cell is right on {percent(found.all_right)} %, every "
        f"cell is wrong on {percent(found.none_right)} %.",
        f"One cell alone is right on: {', '.join(only)}.",
    ]


def word_order_said(rows: Sequence[Row], by_row: Mapping[str, WordOrder]) -> str:
    """Says what shuffled words cost, and whether that is little."""
    losses = {row.title: by_row[row.name] for row in rows if row.recurs}
    if not losses:
        return "No cell here reads in order."
    said = [
        f"{name} {points(one.lost, one.low, one.high)}" for name, one in losses.items()
    ]
    lead = f"Shuffling the words of a test text costs {joined(said)}."
    if max(one.high for one in losses.values()) < LITTLE:
        return f"{lead} Each cell loses less than a point: order tells little here."
    return lead
