"""The comparison as a page: one file, no network, from saved files only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seqclf.cells import DENSE
from seqclf.comparison.draws import FOLDS, SPLIT
from seqclf.comparison.metric import ACCURACY, METRICS
from seqclf.comparison.said import in_words, titles
from seqclf.data.dataset import VALIDATION
from seqclf.records.comparison import ComparisonResult, ModelPair, Pair, Row
from seqclf.records.dataset import DatasetInfo
from seqclf.records.details import Agreement, Curve, Details, Reach, WordOrder
from seqclf.records.twins import Check, Tried, Tuned, TwinCard
from seqclf.report import cost_figure, figures, tables
from seqclf.report.columns import Column, table_of
from seqclf.report.equal_time import at_equal_time
from seqclf.report.page.render import render, trusted
from seqclf.report.page.sections import Section, contents, prepared
from seqclf.report.page.terms import TERMS
from seqclf.report.pair_table import compared, difference_header, test_of_models
from seqclf.report.table import Table
from seqclf.wording import (
    MISSING,
    counted,
    joined,
    p_value,
    percent,
    points,
    signed,
    span,
    with_interval,
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
    if details and set(details.curves) != {row.name for row in result.twins}:
        details = None
    studies = prepared(sections)
    drawn = _figures(result, details)
    return render(
        "page.html",
        figures={name: trusted(svg) for name, svg in drawn.items()},
        studies=studies,
        microscope=microscope,
        sections=_sections(result, details) + contents(studies),
        **_tables(result, details),
        **_words(result, details),
    )


def _figures(result: ComparisonResult, details: Details | None) -> dict[str, str]:
    """Returns the drawings by name; an empty text where there is nothing to draw."""
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


def _tables(
    result: ComparisonResult, details: Details | None
) -> dict[str, Table | None]:
    """Returns the tables by name."""
    card = result.card
    equal = [(name, _plain(value)) for name, value in card.equal.items()]
    return {
        "pairs": None,
        "combined": None,
        "further": None,
        "tuned": None,
        **tables.tables_of(result),
        "trials": _trials(result.tuning) if result.tuning else None,
        "models": _models(result),
        "checks": Table(
            title="What must be equal in twins",
            header=("what", "value, or the start of its SHA-256", "equal"),
            rows=tuple((c.what, c.value, _equal(c)) for c in card.checks),
        ),
        "settings": Table(
            title="Settings",
            header=("setting", "value"),
            rows=(*equal, *((name, "differs") for name in card.different)),
        ),
        "answer_files": Table(
            title="Answers of other systems, which were not trained here",
            header=("row", "file", "SHA-256", "texts"),
            rows=tuple(
                (one.name, one.file, one.digest, f"{one.rows:,}")
                for one in card.answer_files
            ),
        )
        if card.answer_files
        else None,
        "yardstick": _yardstick(card) if card.yardstick else None,
        **(_details_tables(details) if details else {}),
        "equal_time": at_equal_time(result.rows, details.curves) if details else None,
    }


def _yardstick(card: TwinCard) -> Table:
    """Returns how the pre-trained encoder was trained, a line a seed."""
    return Table(
        title="The yardstick, a pre-trained encoder",
        header=(
            "row", "seed", "kind", "chosen", "temperature", "reads pieces",
            "test texts cut", "from", "SHA-256 of its files",
        ),
        rows=tuple(
            (
                one.name,
                str(one.seed),
                f"{one.encoder}, {one.mode}",
                tables.chosen_said(one),
                f"{one.chosen['temperature']:.2f}",
                f"{one.most_pieces:,}",
                f"{one.cut:,}",
                one.source + (f" at {one.revision}" if one.revision else ""),
                one.digest,
            )
            for one in card.yardstick
        ),
    )  # fmt: skip


def _details_tables(details: Details) -> dict[str, Table | None]:
    cells = tuple(details.curves)
    return {
        "order": Table(
            title="Test accuracy, %",
            header=("cell", "as written", "words shuffled",
                    "lost, points (95 % interval)"),
            rows=tuple(
                (cell, percent(one.accuracy), percent(one.shuffled),
                 with_interval(one.lost, one.low, one.high))
                for cell, one in details.word_order.items()
            ),
        ),
        "epochs": Table(
            title="Validation accuracy, %, the mean of a cell's trainings",
            header=("epoch", *cells),
            rows=_by_epoch(details.curves),
        ),
        "confused": Table(
            title="Test texts by true and predicted label, all seeds together",
            header=("cell, true label", *details.labels),
            rows=tuple(
                (f"{cell}, {label}", *map(str, row))
                for cell, matrix in details.confusion.items()
                for label, row in zip(details.labels, matrix, strict=True)
            ),
        )
        if details.confusion
        else None,
        "bins": Table(
            title="Answers by their stated probability, all seeds together",
            header=("cell, stated %", "right %", "answers"),
            rows=tuple(
                (f"{cell}, {percent(b.confidence)}", percent(b.accuracy), f"{b.n:,}")
                for cell, one in details.calibration.items()
                for b in one.bins
            ),
        ),
        "fit": Table(
            title="At the best epoch, dropout switched off, on as many training texts "
            "as validation has: a wide gap suggests overfitting",
            header=("cell", "train accuracy %", "validation accuracy %",
                    "gap, points", "train log loss", "validation log loss"),
            rows=tuple(
                (cell, percent(one.train_accuracy), percent(one.validation_accuracy),
                 signed(100 * (one.train_accuracy - one.validation_accuracy)),
                 f"{one.train_log_loss:.3f}", f"{one.validation_log_loss:.3f}")
                for cell, one in details.fit.items()
            ),
        ),
        "groups": Table(
            title="Test accuracy, %, on parts of the texts (95 % interval)",
            header=("part", "texts", *cells),
            rows=tuple(
                (part.group, f"{part.n:,}", *(_reach(part.cells[c]) for c in cells))
                for part in details.groups
            ),
            groups=tuple(part.by for part in details.groups),
        ),
        "calibration": Table(
            title="Expected calibration error, in points: the mean gap between what is "
            "stated and what is right",
            header=("cell", "error"),
            rows=tuple(
                (cell, percent(one.error)) for cell, one in details.calibration.items()
            ),
        ),
    }  # fmt: skip


def _by_epoch(curves: Mapping[str, Sequence[Curve]]) -> tuple[tuple[str, ...], ...]:
    """Returns a row an epoch, as far as all trainings of a cell go."""
    means = [
        [
            sum(values) / len(values)
            for values in zip(*(one.validation_accuracy for one in seeds))  # noqa: B905
        ]
        for seeds in curves.values()
    ]
    return tuple(
        (
            str(epoch + 1),
            *(percent(one[epoch]) if epoch < len(one) else MISSING for one in means),
        )
        for epoch in range(max(map(len, means)))
    )


def _models(result: ComparisonResult) -> Table | None:
    metric, pairs = METRICS[result.metric], compared(result)
    models = [(pair, model) for pair in pairs for model in pair.models]
    if not models:
        return None
    columns: list[Column[tuple[Pair, ModelPair]]] = [
        ("a, b", lambda one: f"{one[0].a}, {one[0].b}"),
        ("seed", lambda one: str(one[1].seed)),
        ("only a right", lambda one: str(one[1].only_a)),
        ("only b right", lambda one: str(one[1].only_b)),
        (difference_header(result), lambda one: metric.gap(one[1].difference)),
        ("95 % interval", lambda one: metric.reach(one[1].low, one[1].high)),
        (f"p ({test_of_models(pairs[0])})", lambda one: p_value(one[1].own_p)),
    ]
    if metric is not ACCURACY:  # nobody is right or wrong by it
        columns = [column for column in columns if not column[0].startswith("only")]
    return table_of("Two trained models on the same test texts", columns, models)


def _trials(tuning: Mapping[str, Tuned]) -> Table:
    rows = tuple(
        (f"{cell} {number}", *tables.settings_said(cell, one), *_validation(one),
         "chosen" if number == tuned.chosen else "")
        for cell, tuned in tuning.items()
        for number, one in enumerate(tuned.trials, 1)
    )  # fmt: skip
    return Table(
        title="Every cell had the same trials",
        header=("trial", *(name.replace("\n", " ") for name in tables.SETTINGS),
                "validation loss", "of each training", "validation accuracy %", ""),
        rows=rows,
    )  # fmt: skip


def _validation(tried: Tried) -> tuple[str, str, str]:
    each = ["diverged" if loss is None else f"{loss:.3f}" for loss in tried.losses]
    of_each = ", ".join(each) or MISSING
    if tried.validation_loss is None:
        return "diverged", of_each, MISSING
    return tables.loss_said(tried), of_each, tables.accuracy_said(tried)


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
        "card_said": tables.held_equal(result.card),
        "failed_said": tables.failed_said(result),
        "command": result.command or "seqclf compare",
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
    lead = f"Shuffling the words of each test text costs {joined(said)}."
    if max(one.high for one in losses.values()) < LITTLE:
        return f"{lead} Each cell loses less than a point: order tells little here."
    return lead


def _equal(check: Check) -> str:
    return "yes" if check.equal else f"no: {', '.join(check.differing)}"


def _reach(value: Reach) -> str:
    return f"{percent(value.accuracy)} ({span(value.low, value.high)})"


def _plain(value: Any) -> str:
    return "automatic" if value is None else str(value)
