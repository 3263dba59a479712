"""Every gate and state of every token, computed from the trained weights.

A second implementation of the cells in numpy and float64, by the formulas in `cells`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from seqclf.cells import Values
from seqclf.studies.inside.unrolled import inside_of


def activations(
    cell: str, weights: Sequence[np.ndarray], inputs: np.ndarray, is_token: np.ndarray
) -> Values:
    """Computes a layer's gates and states from its weights.

    Args:
      cell: Name of the cell.
      weights: Kernel, recurrent kernel and bias, as Keras orders them.
      inputs: Of the layer, float [texts, time, d].
      is_token: bool [texts, time], false on padding, which is on the right.

    Returns:
      What the cell's `step` gives, by name, float64 [texts, time, units]. On padding
      the state is kept; other values are meaningless there.
    """
    step = inside_of(cell).step
    kernel, recurrent, bias = (np.asarray(w, np.float64) for w in weights)
    projected = inputs.astype(np.float64) @ kernel
    texts, time = is_token.shape
    zeros = np.zeros((texts, recurrent.shape[0]))
    states: Mapping[str, np.ndarray] = {"hidden": zeros, "cell": zeros}
    made: list[Values] = []
    for t in range(time):
        values = step(projected[:, t], states, recurrent, bias)
        for name in set(values) & set(states):
            values[name] = np.where(is_token[:, t, None], values[name], states[name])
        made.append(values)
        states = {**states, **values}
    return {name: np.stack([v[name] for v in made], axis=1) for name in made[0]}
