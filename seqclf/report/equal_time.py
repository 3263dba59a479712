"""What each cell had reached when the quickest of them had finished training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seqclf.records.comparison import Row
from seqclf.records.details import Curve
from seqclf.report.columns import if_known
from seqclf.report.table import Table
from seqclf.wording import percent

Curves = Mapping[str, Sequence[Curve]]
NOTE = (
    "An epoch is as long as when the cells were timed alone. The learning rate falls "
    "over all epochs of a training: one that is planned for less time may reach more "
    "than one that is cut off."
)


def at_equal_time(rows: Sequence[Row], curves: Curves) -> Table | None:
    """Returns validation accuracy after the time of the quickest recurrent cell.

    None if fewer than two recurrent rows were timed alone, or their kernels differ:
    such times are not compared.

    Args:
      rows: Of a comparison.
      curves: By row, one of each seed, with scores of validation.
    """
    timed = [row for row in rows if row.timed == "alone" and row.seconds_per_epoch]
    recurrent = [row for row in timed if row.recurs]
    if len(recurrent) < 2 or len({row.kernel for row in recurrent}) > 1:
        return None
    quickest = min(recurrent, key=lambda row: _seconds(row, curves))
    seconds = _seconds(quickest, curves)
    return Table(
        title=f"At equal time: validation accuracy, %, after the {seconds:.3g} s of "
        f"training that {quickest.name} took, the quickest recurrent cell",
        header=("cell", "epochs by then", "accuracy by then", "in the end"),
        rows=tuple(_line(row, curves[row.name], seconds) for row in timed),
        note=NOTE,
    )


def _seconds(row: Row, curves: Curves) -> float:
    """Returns how long all epochs of a training take alone, the mean over seeds."""
    epochs = [len(one.epochs) for one in curves[row.name]]
    return (row.seconds_per_epoch or 0.0) * sum(epochs) / len(epochs)


def _line(row: Row, curves: Sequence[Curve], seconds: float) -> tuple[str, ...]:
    # A hair more, for the quickest's own epochs are a quotient of its own time.
    done = (seconds / (row.seconds_per_epoch or seconds)) * (1 + 1e-9)
    by_then = [min(int(done), len(one.epochs)) for one in curves]
    longest = max(len(one.epochs) for one in curves)
    return (
        row.name,
        f"{min(done, longest):.1f}",
        if_known(_reached(curves, by_then), percent),
        if_known(_reached(curves, [len(one.epochs) for one in curves]), percent),
    )


def _reached(curves: Sequence[Curve], epochs: Sequence[int]) -> float | None:
    """Returns the accuracy at the least validation loss of so many epochs of each."""
    if not min(epochs):
        return None
    kept = []
    for curve, count in zip(curves, epochs, strict=True):
        losses = curve.validation_loss[:count]
        kept.append(curve.validation_accuracy[losses.index(min(losses))])
    return sum(kept) / len(kept)
