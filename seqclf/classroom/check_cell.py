"""A student's cell against Keras's: `seqclf classroom check-cell`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import seqclf
from seqclf.cells import CELLS, Cell
from seqclf.classroom import run_cell
from seqclf.classroom.cell_example import GRADIENT, STEP, contract_cells, state_names
from seqclf.classroom.mistakes import hint
from seqclf.errors import ConfigError, unknown
from seqclf.model.backend import import_keras
from seqclf.storage import read_object
from seqclf.system import end_group, signal_name

STEPS, SIZE_OF_INPUT, UNITS = 6, 5, 4
CLOSE = 1e-8  # of float64 numbers that are computed alike
SECONDS, MEMORY = 20, 2**31  # for a student's file; bytes
SHOWN = 2000  # characters of what it printed
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCheck:
    """What came of a student's cell.

    Attributes:
      is_right: Whether all that was checked is right.
      checked: `step`, and `gradient` if there is one.
      wrong: What is wrong, a sentence; empty if nothing is.
      hint: The well-known mistake that it looks like; empty if like none.
      printed: The end of what the file printed.
    """

    is_right: bool
    checked: tuple[str, ...] = ()
    wrong: str = ""
    hint: str = ""
    printed: str = ""


def check_cell(file: Path, name: str, seconds: int = SECONDS) -> CellCheck:
    """Runs a student's file in a process of its own, and compares it with Keras.

    Args:
      file: It defines `step` and perhaps `gradient`, see `cell_example`. It runs with
        this user's rights: the limits stop an accident, and are no sandbox.
      name: Of the cell, one of `contract_cells`.
      seconds: How long it may run.

    Raises:
      ConfigError: If there is no such file or cell, or no time.
    """
    if name not in contract_cells():
        raise ConfigError(unknown("cell", name, contract_cells()))
    if not file.is_file():
        raise ConfigError(f"{file} is no file; seqclf classroom check-cell --example "
                          f"{name} shows one to be filled in.")  # fmt: skip
    cell = CELLS[name]
    given = inputs(cell)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        np.savez(place / run_cell.INPUTS, **given)  # type: ignore[arg-type]
        ended = _run(file.resolve(), place, seconds)
        printed = _printed(place)
        said = read_object(place / run_cell.SAID)
        answers = _answers(place)
    if ended:
        return CellCheck(is_right=False, wrong=ended, printed=printed)
    if "error" in said:
        wrong = _error(said)
        return CellCheck(is_right=False, wrong=wrong, printed=printed)
    return _judged(cell, given, answers, printed)


def inputs(cell: Cell) -> dict[str, np.ndarray]:
    """Returns what a cell is tried on, float64, the same every time.

    A `sequence` [steps, inputs], weights in Keras's layout, and for the gradient a
    token `x`, states, and the gradients of the states after it, `d_h` (and `d_c`).
    """
    rng = np.random.default_rng(0)
    width, names = cell.parts * UNITS, state_names(cell)
    bias = (2, width) if cell.biases == 2 * cell.parts else (width,)
    shapes: dict[str, tuple[int, ...]] = {
        "sequence": (STEPS, SIZE_OF_INPUT),
        "kernel": (SIZE_OF_INPUT, width),
        "recurrent_kernel": (UNITS, width),
        "bias": bias,
        "x": (SIZE_OF_INPUT,),
        **dict.fromkeys(names, (UNITS,)),
        **{f"d_{name}": (UNITS,) for name in names},
    }
    return {name: rng.normal(0.0, 0.8, shape) for name, shape in shapes.items()}


def expected_states(cell: Cell, given: Arrays) -> dict[str, np.ndarray]:
    """Returns each state of Keras's cell after each step, float64 [steps, units]."""
    keras, layer = import_keras(), _layer(cell, given)
    names = state_names(cell)
    state = [keras.ops.zeros((1, UNITS), "float64") for _ in names]
    found: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for x in given["sequence"]:
        _, state = layer.cell(x[None], state)
        state = list(state) if isinstance(state, list | tuple) else [state]
        for name, value in zip(names, state, strict=True):
            found[name].append(np.asarray(value)[0])
    return {name: np.stack(values) for name, values in found.items()}


def expected_gradients(cell: Cell, given: Arrays) -> dict[str, np.ndarray]:
    """Returns the gradients of a step of Keras's cell, by TensorFlow, as `d_x`, ..."""
    import_keras()
    import tensorflow as tf

    layer, names = _layer(cell, given), state_names(cell)
    free = [tf.constant(given[name][None]) for name in ("x", *names)]
    weights = [one.value for one in layer.cell.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(free)
        _, state = layer.cell(free[0], free[1:])
        after = list(state) if isinstance(state, list | tuple) else [state]
    upstream = [tf.constant(given[f"d_{name}"][None]) for name in names]
    found = tape.gradient(after, [*free, *weights], output_gradients=upstream)
    named = zip(("x", *names, *run_cell.WEIGHTS), found, strict=True)
    return {f"d_{k}": np.asarray(g).reshape(given[k].shape) for k, g in named}


def _layer(cell: Cell, given: Arrays) -> Any:
    """Returns Keras's layer of a cell, in float64, with the given weights."""
    keras = import_keras()
    layer = getattr(keras.layers, str(cell.layer))(
        UNITS, dtype="float64", **cell.options
    )
    layer.build((1, STEPS, SIZE_OF_INPUT))
    layer.set_weights([given[name] for name in run_cell.WEIGHTS])
    return layer


def _run(file: Path, folder: Path, seconds: int) -> str:
    """Runs the file; returns why it was ended, empty if it ended as it should."""
    package = str(Path(seqclf.__file__).parents[1])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    one = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "HOME": str(folder)}
    environment = {**os.environ, **one, "PYTHONPATH": os.pathsep.join(paths)}
    call = [sys.executable, "-m", run_cell.__name__, str(file), str(folder)]
    with (folder / "printed.txt").open("wb") as printed:
        process = subprocess.Popen(
            [*call, str(seconds), str(MEMORY)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return f"it did not end within {seconds} s, and was stopped"
        finally:
            end_group(process)
    if code < 0:
        most = f"{seconds} s of processor time or {MEMORY / 2**30:g} GiB"
        return (
            f"it was ended by {signal_name(-code)}, as what takes more than {most} is"
        )
    if not (folder / run_cell.SAID).exists():
        return f"it left Python, with exit code {code}, before it had answered"
    return ""


def _printed(folder: Path) -> str:
    with (folder / "printed.txt").open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - SHOWN, 0))
        return file.read().decode(errors="replace").strip()


def _answers(folder: Path) -> dict[str, np.ndarray]:
    """Reads the answers as numbers; what cannot be read is none."""
    try:
        with np.load(folder / run_cell.ANSWERS, allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}
    except (OSError, ValueError, EOFError):
        return {}


def _error(said: Mapping[str, object]) -> str:
    kind, message, line = (said.get(key) for key in ("error", "message", "line"))
    if kind == run_cell.WrongAnswerError.__name__:
        return str(message)
    if kind == NotImplementedError.__name__:  # as `cell_example` has it
        return f"line {line} says that it is not written yet: {message}"
    if kind == MemoryError.__name__:
        return f"it wanted more than {MEMORY / 2**30:g} GiB of memory (line {line})"
    where = f", line {line}" if line else ""
    return f"it raised {kind}{where}: {message}"


def _judged(cell: Cell, given: Arrays, answers: Arrays, printed: str) -> CellCheck:
    expected = expected_states(cell, given)
    came = {name: answers.get(name, np.zeros(0)) for name in expected}
    if wrong := _wrong_step(expected, came):
        known = all(came[name].shape == expected[name].shape for name in expected)
        like = hint(cell, given, came) if known else None
        return CellCheck(
            is_right=False,
            checked=(STEP,),
            wrong=wrong,
            hint=like or "",
            printed=printed,
        )
    prefix = f"{GRADIENT} "
    gradients = {k.removeprefix(prefix): v for k, v in answers.items()
                 if k.startswith(prefix)}  # fmt: skip
    if not gradients:
        return CellCheck(is_right=True, checked=(STEP,), printed=printed)
    wrong = _wrong_gradient(expected_gradients(cell, given), gradients)
    checked = (STEP, GRADIENT)
    return CellCheck(is_right=not wrong, checked=checked, wrong=wrong, printed=printed)


def _wrong_step(expected: Arrays, came: Arrays) -> str:
    """Returns the first entry that differs, by step, state and unit; empty if none."""
    if any(came[name].shape != one.shape for name, one in expected.items()):
        return "it gave no states"
    for step in range(STEPS):
        for name, values in expected.items():
            unit = _first_apart(values[step], came[name][step])
            if unit is not None:
                return (
                    f"{name} differs first at step {step + 1}, unit {unit[0]} (from "
                    f"0): expected {values[step][unit]:.6g}, got "
                    f"{came[name][step][unit]:.6g}"
                )
    return ""


def _wrong_gradient(expected: Arrays, came: Arrays) -> str:
    for name, values in expected.items():
        if came.get(name, np.zeros(0)).shape != values.shape:
            return f"{GRADIENT} gave no {name}"
        place = _first_apart(values, came[name])
        if place is not None:
            return (
                f"{name} differs first at {list(place)}: expected "
                f"{values[place]:.6g}, got {came[name][place]:.6g}"
            )
    return ""


def _first_apart(expected: np.ndarray, came: np.ndarray) -> tuple[int, ...] | None:
    near = np.isclose(came, expected, rtol=CLOSE, atol=CLOSE)
    if near.all():
        return None
    return tuple(int(i) for i in np.argwhere(~near)[0])
