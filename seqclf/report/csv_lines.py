"""A comparison as comma-separated values, for programs."""

from __future__ import annotations

import io
from collections.abc import Mapping
from csv import DictWriter
from typing import Any

from seqclf.comparison.judged import bounds, is_decided, is_equal
from seqclf.records.comparison import (
    BY_RANKS,
    MEAN,
    OTHER,
    YARDSTICK,
    ComparisonResult,
    Pair,
    Row,
)
from seqclf.report.pair_table import compared

CSV_OF_ROW = (
    "n", "seeds", "macro_f1", "log_loss", "example_f1", "units", "recurrent_parameters",
    "parameters", "seconds_per_epoch", "seconds_to_best", "tokens_per_second",
    "milliseconds_per_prediction", "peak_memory_bytes", "kernel", "timed",
)  # fmt: skip


CSV_OF_PAIR = (
    "seeds", "difference", "p", "mcnemar_p", "p_unadjusted", "adjusted_for", "p_models",
    "p_equal", "by", "metric",
)  # fmt: skip


CSV_KINDS = {  # the first: kept
    "twin": "recurrent", "baseline": "baseline", MEAN: MEAN, OTHER: OTHER,
    YARDSTICK: YARDSTICK,
}  # fmt: skip


CSV_COLUMNS = (
    "kind", "name", "accuracy", "difference", "low", "high", "p", "mcnemar_p",
    "p_unadjusted", "adjusted_for", "is_decided", *CSV_OF_ROW, "p_models", "p_equal",
    "is_equal", "by", "metric", "score",
)  # fmt: skip


def csv(result: ComparisonResult) -> str:
    """Returns a line for each row and pair, as comma-separated values.

    Numbers are whole (accuracies and differences are fractions); low and high belong
    to the score, which is that of the metric, or the difference, positive where the
    first is better. Lists are joined by spaces.
    """
    file = io.StringIO()
    writer = DictWriter(file, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(_csv_of_row, result.rows))
    writer.writerows(map(_csv_of_pair, compared(result)))
    return file.getvalue()


def _csv_of_row(row: Row) -> dict[str, object]:
    values = {key: getattr(row, key) for key in CSV_OF_ROW}
    score = {"low": row.score.low, "high": row.score.high, "score": row.score.mean}
    named = {"kind": CSV_KINDS[row.kind], "name": row.name, "metric": row.metric}
    return _csv_values(values | named | score | {"accuracy": row.accuracy.mean})


def _csv_of_pair(pair: Pair) -> dict[str, object]:
    values = {key: getattr(pair, key) for key in CSV_OF_PAIR}
    low, high = (None, None) if pair.by == BY_RANKS else bounds(pair)
    ends = {"low": low, "high": high}
    named = {"kind": "pair", "name": f"{pair.a} - {pair.b}"}
    found = {"is_decided": is_decided(pair), "is_equal": is_equal(pair)}
    return _csv_values(values | named | ends | found)


def _csv_values(values: Mapping[str, Any]) -> dict[str, object]:
    return {
        key: " ".join(map(str, value)) if isinstance(value, tuple)
        else _harmless(value) if isinstance(value, str) else value
        for key, value in values.items()
    }  # fmt: skip


def _harmless(text: str) -> str:
    """Returns text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
