"""The tables of a comparison's page, by their names in the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seqclf.comparison.metric import ACCURACY, METRICS
from seqclf.records.comparison import ComparisonResult, ModelPair, Pair
from seqclf.records.details import Curve, Details, Reach
from seqclf.records.twins import Check, Tried, Tuned, TwinCard
from seqclf.report import sentences, tables
from seqclf.report.columns import Column, table_of
from seqclf.report.equal_time import at_equal_time
from seqclf.report.pair_table import compared, difference_header, test_of_models
from seqclf.report.table import Table
from seqclf.wording import MISSING, p_value, percent, signed, span, with_interval


def page_tables(
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
                sentences.chosen_said(one),
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


def _equal(check: Check) -> str:
    return "yes" if check.equal else f"no: {', '.join(check.differing)}"


def _reach(value: Reach) -> str:
    return f"{percent(value.accuracy)} ({span(value.low, value.high)})"


def _plain(value: Any) -> str:
    return "automatic" if value is None else str(value)
