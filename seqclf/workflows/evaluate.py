"""`seqclf evaluate` as a function."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from seqclf.config import DataConfig
from seqclf.errors import ConfigError
from seqclf.evaluation.evaluate import Evaluation, evaluate
from seqclf.runs import Run
from seqclf.steps import Listener


def evaluate_run(
    run: Run,
    listener: Listener,
    split: str = "test",
    source: str | None = None,
    config: DataConfig | None = None,
    given: Collection[str] = (),
) -> Evaluation:
    """Scores a finished run on a split of its own data, or of other data.

    `split` is `train`, `validation` or `test`. `source` is other data, as in
    `load_dataset`; None takes the run's own. `config` says how the data is read, and
    `given` which of its fields the user gave: these take precedence over those the run
    was trained with, even at their defaults.

    Returns:
      The scores, and where the texts came from.

    Raises:
      ConfigError: If there is no such split, or the run's data cannot be read again.
      DataError: If the data has no such split, or a label that the run lacks.
    """
    data = _data(run, config or DataConfig(), given, source)
    result = evaluate(run, data, split)
    for sentence in result.notes:
        listener.note(f"Note: {sentence}")
    return result


def _data(
    run: Run, config: DataConfig, given: Collection[str], source: str | None
) -> DataConfig:
    if source is not None:
        return dataclasses.replace(config, source=source)
    own = run.data
    if own.source == "-":
        raise ConfigError(
            f"{run.name} was trained on standard input, which is gone; name the data "
            f"with --data."
        )
    changed = {field: getattr(config, field) for field in {*given} - {"source"}}
    return dataclasses.replace(own, **changed)
