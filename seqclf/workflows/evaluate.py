"""`seqclf evaluate` as a function."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from seqclf.config import DataConfig
from seqclf.errors import ConfigError
from seqclf.evaluation.evaluate import Evaluation, evaluate
from seqclf.runs import AnyRun
from seqclf.steps import Listener
from seqclf.unsure import AtLeast


def evaluate_run(
    run: AnyRun,
    listener: Listener,
    split: str = "test",
    source: str | None = None,
    config: DataConfig | None = None,
    given: Collection[str] = (),
    at_least: AtLeast | None = None,
    wanted: float | None = None,
) -> Evaluation:
    """Scores a finished run on a split of its own data, or of other data.

    `split` is `train`, `validation` or `test`. `source` is other data, as in
    `load_dataset`; None takes the run's own. `config` says how the data is read, and
    `given` which of its fields the user gave: these take precedence over those the run
    was trained with, even at their defaults. `at_least` is what an answer needs to
    stand, as in `predict --at-least`; `wanted` is the accuracy for which to choose
    that, on validation.

    Returns:
      The scores, and where the texts came from.

    Raises:
      ConfigError: If there is no such split, the run's data cannot be read again, or a
        threshold is of no label or chosen on another split than validation.
      DataError: If the data has no such split, or a label that the run lacks.
    """
    config, data = config or DataConfig(), run.data
    if source is not None:
        data = dataclasses.replace(config, source=source)
    elif data.source == "-":
        raise ConfigError(
            f"{run.name} was trained on standard input, which is gone; name the data "
            f"with --data."
        )
    else:
        changed = {field: getattr(config, field) for field in {*given} - {"source"}}
        data = dataclasses.replace(data, **changed)
    result = evaluate(run, data, split, at_least, wanted)
    for sentence in result.notes:
        listener.note(f"Note: {sentence}")
    return result
