"""The file that a student fills in: the contract of a cell, in Python."""

from __future__ import annotations

from seqclf.cells import CELLS, Cell

STEP, GRADIENT = "step", "gradient"


def contract_cells() -> tuple[str, ...]:
    """Returns the names of the cells that a student can write."""
    return tuple(name for name, cell in CELLS.items() if cell.inside and cell.layer)


def state_names(cell: Cell) -> tuple[str, ...]:
    """Returns what a cell carries from step to step: `h`, and `c` of the LSTM."""
    return ("h", "c") if cell.inside and cell.inside.memory == "c" else ("h",)


def example(name: str) -> str:
    """Returns the file to be filled in for a cell of `contract_cells`.

    Its two functions raise NotImplementedError: they are the student's to write, and
    `check-cell` tells by it what is not written yet from what is wrong.
    """
    cell = CELLS[name]
    states = state_names(cell)
    carried = ", ".join(states)
    described = "".join(f"\n      {one}: [units], the state before." for one in states)
    upstream = ", ".join(f"d_{one}" for one in states)
    width = f"{cell.parts} x units" if cell.parts > 1 else "units"
    bias = f"[2, {width}]: [0] is added to x @ kernel, [1] to h @ recurrent_kernel"
    if cell.biases == cell.parts:
        bias = f"[{width}]"
    parts = " | ".join(cell.inside.parts if cell.inside else ())
    order = f"\n\nIts parts stand side by side in the last axis:\n{parts}."
    order = order if cell.parts > 1 else ""
    return f'''"""One step of keras.layers.{cell.layer}, in numpy.

Check it with: seqclf classroom check-cell THIS_FILE --cell {name}{order}
All arrays are float64.
"""

import numpy as np


def step(x, {carried}, kernel, recurrent_kernel, bias):
    """Returns the state after a token.

    Args:
      x: [inputs], the token's vector.{described}
      kernel: [inputs, {width}].
      recurrent_kernel: [units, {width}].
      bias: {bias}.

    Returns:
      {carried}, each [units].
    """
    raise NotImplementedError("write the step here")


def gradient(x, {carried}, kernel, recurrent_kernel, bias, {upstream}):
    """Returns the gradients of a loss, from those of the states after the step.

    It may be left out, or left as it is: then the step alone is checked.

    Args:
      x, {carried}, kernel, recurrent_kernel, bias: As in step.
      {upstream}: [units], the gradient of the loss with respect to each state that
        step returns.

    Returns:
      The gradients with respect to x, {carried}, kernel, recurrent_kernel, bias, in
      this order, each of the shape of its argument.
    """
    raise NotImplementedError("write the gradient here, if you want it checked")
'''
