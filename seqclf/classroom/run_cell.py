"""Calls a student's cell in a process of its own, which `check_cell` starts.

It takes the student's file, a folder with `inputs.npz`, and limits, and writes into the
folder `answers.npz` and `said.json`. Whoever starts it puts an end to it; it is no
sandbox.
"""

from __future__ import annotations

import json
import runpy
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.classroom.cell_example import GRADIENT, STEP
from seqclf.system import limit_process
from seqclf.wording import counted

INPUTS, ANSWERS, SAID = "inputs.npz", "answers.npz", "said.json"
WEIGHTS = ("kernel", "recurrent_kernel", "bias")


class WrongAnswerError(Exception):
    """What a student's function returned is not what the contract says."""


def main(arguments: Sequence[str]) -> None:
    """Runs a file; the arguments are its path, the folder, seconds and bytes."""
    file, folder = Path(arguments[0]), Path(arguments[1])
    limit_process(int(arguments[2]), int(arguments[3]))
    with np.load(folder / INPUTS, allow_pickle=False) as kept:
        given = {name: kept[name] for name in kept.files}
    answers: dict[str, np.ndarray] = {}
    said: dict[str, object] = {}
    try:
        functions = runpy.run_path(str(file))
        answers |= _states(_function(functions, STEP), given)
        if callable(functions.get(GRADIENT)):
            answers |= _gradients(functions[GRADIENT], given, said)
    except BaseException as error:  # noqa: BLE001 -- a student's file may raise anything
        said |= _told(error, file)
    np.savez(folder / ANSWERS, **answers)  # type: ignore[arg-type]
    (folder / SAID).write_text(json.dumps(said), "utf-8")


def _function(functions: Mapping[str, Any], name: str) -> Callable[..., Any]:
    found = functions.get(name)
    if not callable(found):
        raise WrongAnswerError(f"the file defines no function {name}")
    function: Callable[..., Any] = found
    return function


def _states(
    step: Callable[..., Any], given: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Returns each state after each step, float64 [steps, units], from zeros on."""
    names = [name for name in ("h", "c") if name in given]
    state = {name: np.zeros_like(given[name]) for name in names}
    found: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for place, x in enumerate(given["sequence"], 1):
        arguments = [x.copy(), *(state[name].copy() for name in names)]
        arguments += [given[name].copy() for name in WEIGHTS]
        returned = step(*arguments)
        state = _named(f"{STEP}, at step {place},", returned, state)
        for name, value in state.items():
            found[name].append(value)
    return {name: np.stack(values) for name, values in found.items()}


def _gradients(
    gradient: Callable[..., Any],
    given: Mapping[str, np.ndarray],
    said: dict[str, object],
) -> dict[str, np.ndarray]:
    states = [name for name in ("h", "c") if name in given]
    names = ["x", *states, *WEIGHTS]
    upstream = [f"d_{name}" for name in states]
    try:
        returned = gradient(*(given[name].copy() for name in (*names, *upstream)))
    except NotImplementedError:  # left as `cell_example` has it, which may be
        said["without"] = GRADIENT
        return {}
    like = {f"d_{name}": given[name] for name in names}
    found = _named(GRADIENT, returned, like)
    return {f"gradient {name}": value for name, value in found.items()}


def _named(
    who: str, returned: Any, like: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Returns what a function gave by name, as float64 of the shapes of `like`."""
    # One state may be a list of numbers; several come as a tuple or a list.
    several = tuple if len(like) == 1 else (tuple, list)
    values = returned if isinstance(returned, several) else [returned]
    if len(values) != len(like):
        count = counted(len(values), "value")
        raise WrongAnswerError(
            f"{who} returned {count}; it has to return {', '.join(like)}"
        )
    found = {}
    for name, value in zip(like, values, strict=True):
        found[name] = np.array(value, np.float64)
        if found[name].shape != like[name].shape:
            raise WrongAnswerError(
                f"{who} returned {name} of shape {list(found[name].shape)}; it has to "
                f"be {list(like[name].shape)}"
            )
    return found


def _told(error: BaseException, file: Path) -> dict[str, object]:
    """Returns what an error says, and in which line of the student's file it arose."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(file)
    ]
    if isinstance(error, SyntaxError) and error.filename == str(file):
        lines = [error.lineno]
    return {
        "error": type(error).__name__,
        "message": str(error)[:1000],
        "line": lines[-1] if lines else None,
    }


if __name__ == "__main__":
    main(sys.argv[1:])
