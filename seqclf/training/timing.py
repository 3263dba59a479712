"""The stopwatch."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from seqclf.text.batching import pad
from seqclf.text.encoding import Examples

SINGLE_TEXTS, WARM_UP = 50, 5


def median_milliseconds(call: Callable[[Any], object], arguments: list[Any]) -> float:
    """Returns the median duration of the calls; the first few are not counted.

    Args:
      call: What to time.
      arguments: One call each; the first `WARM_UP` are made twice.
    """
    for argument in arguments[:WARM_UP]:
        call(argument)
    durations = []
    for argument in arguments:
        start = time.perf_counter()
        call(argument)
        durations.append(time.perf_counter() - start)
    return 1000 * statistics.median(durations)


def single_prediction(model: Any, examples: Examples, seed: int = 0) -> float:
    """Returns the median milliseconds to predict one text, drawn from `examples`.

    Every twin is timed on the same texts: the draw depends on the seed alone.
    """
    size = min(SINGLE_TEXTS, len(examples))
    drawn = np.random.default_rng(seed).choice(len(examples), size, replace=False)
    texts = [pad(examples, drawn[i : i + 1]).token_ids for i in range(size)]
    return median_milliseconds(model.predict_on_batch, texts)
