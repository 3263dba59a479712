"""Well-known mistakes in a cell, each as the step that it makes of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from seqclf.cells import CELLS, Cell, sigmoid
from seqclf.classroom.cell_example import state_names

Array = np.ndarray
Arrays = Mapping[str, Array]
# From x, h (and c), kernel, recurrent kernel and bias to h (and c), as a student's.
Step = Callable[..., tuple[Array, ...]]


def right_step(cell: Cell) -> Step:
    """Returns the step of a cell by its own description, in numpy."""
    inside = cell.inside
    if inside is None:
        raise ValueError(f"{cell.name} has no steps")
    step, names = inside.step, state_names(cell)
    kept = {"h": "hidden", "c": "cell"}

    def computed(x: Array, *rest: Array) -> tuple[Array, ...]:
        *states, kernel, recurrent, bias = rest
        before = {kept[name]: one for name, one in zip(names, states, strict=True)}
        found = step(x @ kernel, before, recurrent, bias)
        return tuple(found[kept[name]] for name in names)

    return computed


def mistakes(cell: Cell) -> Iterator[tuple[str, Step]]:
    """Yields hints, each with the step of a cell in which that mistake is made."""
    right = right_step(cell)
    yield "the bias is missing", _with(right, lambda k, r, b: (k, r, 0 * b))
    yield (
        "the recurrent kernel is transposed",
        _with(right, lambda k, r, b: (k, _transposed(r, cell.parts), b)),
    )
    yield from OF_CELL.get(cell.name, {}).items()
    yield from _orders(cell, right)


def states_of(step: Step, given: Arrays, names: tuple[str, ...]) -> dict[str, Array]:
    """Returns each state after each step of a sequence, [steps, units], from zeros."""
    state = tuple(np.zeros_like(given[name]) for name in names)
    weights = [given[name] for name in ("kernel", "recurrent_kernel", "bias")]
    found = []
    for x in given["sequence"]:
        state = step(x, *state, *weights)
        found.append(state)
    return {
        name: np.stack(values)
        for name, values in zip(names, zip(*found, strict=True), strict=True)
    }


def hint(cell: Cell, given: Arrays, came: Arrays) -> str | None:
    """Returns the mistake that gives just these states; None if none does."""
    names = state_names(cell)
    for said, step in mistakes(cell):
        with np.errstate(all="ignore"):
            made = states_of(step, given, names)
        if all(np.allclose(made[n], came[n], rtol=1e-6, atol=1e-8) for n in names):
            return said
    return None


def _with(
    step: Step, change: Callable[[Array, Array, Array], tuple[Array, Array, Array]]
) -> Step:
    """Returns a step with other weights."""

    def changed(*arguments: Array) -> tuple[Array, ...]:
        *before, kernel, recurrent, bias = arguments
        return step(*before, *change(kernel, recurrent, bias))

    return changed


def _orders(cell: Cell, right: Step) -> Iterator[tuple[str, Step]]:
    """Yields the step of a cell with its parts in each other order."""
    parts = cell.inside.parts if cell.inside else ()
    for order in itertools.permutations(range(len(parts))):
        if list(order) == sorted(order):
            continue
        taken = ", ".join(parts[order.index(place)] for place in range(len(parts)))
        said = f"the parts are taken in the order {taken}; Keras has {', '.join(parts)}"

        def change(
            k: Array, r: Array, b: Array, order: tuple[int, ...] = order
        ) -> tuple[Array, Array, Array]:
            reordered = [_reordered(one, order) for one in (k, r, b)]
            return reordered[0], reordered[1], reordered[2]

        yield said, _with(right, change)


def _reordered(weights: Array, order: tuple[int, ...]) -> Array:
    parts = np.split(weights, len(order), axis=-1)
    return np.concatenate([parts[place] for place in order], axis=-1)


def _transposed(recurrent: Array, parts: int) -> Array:
    return np.concatenate([p.T for p in np.split(recurrent, parts, axis=-1)], axis=-1)


def _rnn_without_tanh(x: Array, h: Array, k: Array, r: Array, b: Array) -> tuple[Array]:
    return (x @ k + h @ r + b,)


def _gru(combine: Callable[..., Array], reset_before: bool = False) -> Step:
    """Returns a GRU's step that combines z, h and candidate in its own way."""

    def step(x: Array, h: Array, k: Array, r: Array, b: Array) -> tuple[Array]:
        x_z, x_r, x_c = np.split(x @ k + b[0], 3)
        h_z, h_r, h_c = np.split(h @ r + b[1], 3)
        z, reset = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
        moved = reset * h_c
        if reset_before:
            moved = (reset * h) @ np.split(r, 3, axis=-1)[2] + np.split(b[1], 3)[2]
        return (combine(z, h, np.tanh(x_c + moved)),)

    return step


def _lstm_without_tanh(
    x: Array, h: Array, c: Array, k: Array, r: Array, b: Array
) -> tuple[Array, Array]:
    i, f, candidate, o = np.split(x @ k + h @ r + b, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(candidate)
    return sigmoid(o) * c, c


def _lstm_sigmoid_candidate(
    x: Array, h: Array, c: Array, k: Array, r: Array, b: Array
) -> tuple[Array, Array]:
    i, f, candidate, o = (sigmoid(one) for one in np.split(x @ k + h @ r + b, 4))
    c = f * c + i * candidate
    return o * np.tanh(c), c


def _kept(z: Array, h: Array, candidate: Array) -> Array:
    return z * h + (1 - z) * candidate


OF_CELL: dict[str, dict[str, Step]] = {
    "rnn": {"tanh is missing": _rnn_without_tanh},
    "gru": {
        "1 - z is forgotten: the candidate counts in full": _gru(
            lambda z, h, candidate: z * h + candidate
        ),
        "z and 1 - z are exchanged; in Keras z is the share of the old state": _gru(
            lambda z, h, candidate: (1 - z) * h + z * candidate
        ),
        "the reset gate is applied before the product with the recurrent kernel; "
        "Keras applies it after (reset_after)": _gru(_kept, reset_before=True),
        "the bias of the state, bias[1], is missing": _with(
            right_step(CELLS["gru"]), lambda k, r, b: (k, r, b * [[1.0], [0.0]])
        ),
        "both biases are added to the input; bias[1] of the candidate goes through "
        "the reset gate": _with(
            right_step(CELLS["gru"]),
            lambda k, r, b: (k, r, np.stack([b.sum(axis=0), 0 * b[0]])),
        ),
    },
    "lstm": {
        "tanh of c is missing in h": _lstm_without_tanh,
        "the candidate has a sigmoid in place of tanh": _lstm_sigmoid_candidate,
    },
}
