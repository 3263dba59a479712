"""A student's cell is compared with Keras's, and runs within limits."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from conftest import invoke

from seqclf.cells import CELLS
from seqclf.classroom.cell_example import contract_cells, example, state_names
from seqclf.classroom.check_cell import (
    STEPS,
    _judged,
    check_cell,
    expected_gradients,
    expected_states,
    inputs,
)
from seqclf.classroom.mistakes import mistakes, right_step, states_of

RNN = """
import numpy as np
def step(x, h, kernel, recurrent_kernel, bias):
    return np.tanh(x @ kernel + h @ recurrent_kernel + bias)
def gradient(x, h, kernel, recurrent_kernel, bias, d_h):
    after = step(x, h, kernel, recurrent_kernel, bias)
    d = d_h * (1 - after ** 2)
    return kernel @ d, recurrent_kernel @ d, np.outer(x, d), np.outer(h, d), d
"""
GRU = """
import numpy as np
def sigmoid(a):
    return 1 / (1 + np.exp(-a))
def parts(x, h, kernel, recurrent_kernel, bias):
    x_z, x_r, x_c = np.split(x @ kernel + bias[0], 3)
    h_z, h_r, h_c = np.split(h @ recurrent_kernel + bias[1], 3)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    return z, r, np.tanh(x_c + r * h_c), h_c
def step(x, h, kernel, recurrent_kernel, bias):
    z, r, candidate, _ = parts(x, h, kernel, recurrent_kernel, bias)
    return z * h + (1 - z) * candidate
def gradient(x, h, kernel, recurrent_kernel, bias, d_h):
    z, r, candidate, h_c = parts(x, h, kernel, recurrent_kernel, bias)
    d_z = d_h * (h - candidate) * z * (1 - z)
    d_c = d_h * (1 - z) * (1 - candidate ** 2)
    d_r = d_c * h_c * r * (1 - r)
    d_in = np.concatenate([d_z, d_r, d_c])
    d_on = np.concatenate([d_z, d_r, d_c * r])
    return (kernel @ d_in, d_h * z + recurrent_kernel @ d_on, np.outer(x, d_in),
            np.outer(h, d_on), np.stack([d_in, d_on]))
"""
LSTM = """
import numpy as np
def sigmoid(a):
    return 1 / (1 + np.exp(-a))
def parts(x, h, kernel, recurrent_kernel, bias):
    i, f, g, o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4)
    return sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
def step(x, h, c, kernel, recurrent_kernel, bias):
    i, f, g, o = parts(x, h, kernel, recurrent_kernel, bias)
    c = f * c + i * g
    return o * np.tanh(c), c
def gradient(x, h, c, kernel, recurrent_kernel, bias, d_h, d_c):
    i, f, g, o = parts(x, h, kernel, recurrent_kernel, bias)
    t = np.tanh(f * c + i * g)
    d_c = d_c + d_h * o * (1 - t ** 2)
    d = np.concatenate([d_c * g * i * (1 - i), d_c * c * f * (1 - f),
                        d_c * i * (1 - g ** 2), d_h * t * o * (1 - o)])
    return (kernel @ d, recurrent_kernel @ d, d_c * f, np.outer(x, d), np.outer(h, d),
            d)
"""
RIGHT = {"rnn": RNN, "gru": GRU, "lstm": LSTM}


def answers_of(source: str, name: str, with_gradient: bool = True):
    """Returns what a file answers, called here, by the names of `run_cell`."""
    functions: dict[str, object] = {}
    exec(source, functions)  # noqa: S102 -- these are this test's own
    given, names = inputs(CELLS[name]), state_names(CELLS[name])

    def step(*arguments):
        after = functions["step"](*arguments)
        return after if isinstance(after, tuple) else (after,)

    answers = states_of(step, given, names)
    if with_gradient:
        weights = ("kernel", "recurrent_kernel", "bias")
        wanted = ["x", *names, *weights]
        upstream = [f"d_{one}" for one in names]
        found = functions["gradient"](*(given[n] for n in (*wanted, *upstream)))
        answers |= {f"gradient d_{n}": g for n, g in zip(wanted, found, strict=True)}
    return answers


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_cell_is_right_with_its_gradient(name):
    cell = CELLS[name]
    found = _judged(cell, inputs(cell), answers_of(RIGHT[name], name), "")
    assert found.is_right, found
    assert found.checked == ("step", "gradient")


@pytest.mark.parametrize("name", RIGHT)
def test_every_known_mistake_is_found_and_named(name):
    cell = CELLS[name]
    given, names = inputs(cell), state_names(cell)
    right = states_of(right_step(cell), given, names)
    made = dict(mistakes(cell))
    assert len(made) >= 3
    for said, step in made.items():
        answers = states_of(step, given, names)
        found = _judged(cell, given, answers, "")
        assert not found.is_right
        assert found.hint == said
        first = min(
            (at, place, int(np.argmin(np.isclose(answers[n][at], right[n][at]))))
            for place, n in enumerate(names)
            for at in range(STEPS)
            if not np.allclose(answers[n][at], right[n][at])
        )
        start = (
            f"{names[first[1]]} differs first at step {first[0] + 1}, unit {first[2]}"
        )
        assert found.wrong.startswith(start)


def test_the_entry_that_differs_is_told_with_both_numbers():
    cell = CELLS["gru"]
    given = inputs(cell)
    answers = answers_of(GRU, "gru", with_gradient=False)
    expected = expected_states(cell, given)["h"][3, 2]
    answers["h"][3, 2] += 0.25
    found = _judged(cell, given, answers, "")
    assert found.wrong == (
        f"h differs first at step 4, unit 2 (from 0): expected {expected:.6g}, got "
        f"{expected + 0.25:.6g}"
    )
    assert not found.hint


def test_a_wrong_gradient_is_told_by_its_array():
    cell = CELLS["lstm"]
    answers = answers_of(LSTM, "lstm")
    answers["gradient d_kernel"] = 0 * answers["gradient d_kernel"]
    found = _judged(cell, inputs(cell), answers, "")
    first = expected_gradients(cell, inputs(cell))["d_kernel"][0, 0]
    expected = f"d_kernel differs first at [0, 0]: expected {first:.6g}, got 0"
    assert (found.is_right, found.wrong) == (False, expected)


@pytest.mark.parametrize("name", contract_cells())
def test_the_example_is_python_with_the_arguments_of_its_cell(name):
    shown = invoke("classroom", "check-cell", f"--example={name}")
    assert shown.exit_code == 0
    assert shown.stdout == example(name)
    step, gradient = (
        node
        for node in ast.parse(shown.stdout).body
        if isinstance(node, ast.FunctionDef)
    )
    states = list(state_names(CELLS[name]))
    weights = ["kernel", "recurrent_kernel", "bias"]
    arguments = [argument.arg for argument in step.args.args]
    assert arguments == ["x", *states, *weights]
    upstream = [argument.arg for argument in gradient.args.args][len(arguments) :]
    assert upstream == [f"d_{state}" for state in states]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.py"], "nowhere.py is no file"),
        ([], "name the file to check"),
        (["--example=none"], "unknown cell 'none'"),
        (["x.py", "--example=gru"], "does nothing when an example is printed"),
        (["x.py", "--seconds=0"], "--seconds"),
    ],
)
def test_wrong_use_ends_with_2(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused = invoke("classroom", "check-cell", *arguments)
    assert refused.exit_code == 2
    assert said in refused.output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        (GRU, ""),
        ("while True: pass", "2 s"),
        ("[bytes(10 ** 9) for _ in range(9)]", "more than 2 GiB of memory (line 1)"),
        ("import os; os._exit(0)", "exit code 0, before it had answered"),
        ("raise SystemExit(3)", "it raised SystemExit, line 1: 3"),
        ("def step(x: pass", "it raised SyntaxError, line 1"),
        ("y = 1", "the file defines no function step"),
        ("def step(x, h, k, r, b): return h[:2]", "returned h of shape [2]"),
        ("def step(x, h, k, r, b): return h, h", "returned 2 values"),
        ("def step(x, h, k, r, b):\n  return 1 / 0", "ZeroDivisionError, line 2"),
        (example("gru"), "is not written yet"),
        ("print('seen'); import os; os.kill(os.getpid(), 11)", "SIGSEGV"),
    ],
)  # fmt: skip
def test_a_file_runs_within_limits(tmp_path, source, wrong):
    file = tmp_path / "cell.py"
    file.write_text(source)
    found = check_cell(file, "gru", seconds=2 if "while" in source else 60)
    assert found.is_right == (not wrong), found
    assert wrong in found.wrong
    assert [one.name for one in tmp_path.iterdir()] == ["cell.py"]
