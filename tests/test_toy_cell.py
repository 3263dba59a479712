"""CONTRIBUTING's recipes "add a cell" and "add a pooling", followed to the letter.

A copy of the package gets two cells and a pooling, an entry each in `cells.py` and
`poolings.py` and nothing else, and does with them all that it does with its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import TINY, reviews, run_cli, write_csv

import seqclf

# An Elman network with rectified units, and one of which nothing is known but its
# layer: no ONNX operator, no cuDNN kernel, no steps to look into.
CELLS = """

CELLS["elman"] = Cell(
    name="elman",
    title="Elman",
    layer="SimpleRNN",
    options={"activation": "relu"},
    parts=1,
    biases=1,
    relative_cost=0.7,
    look=Look(colour="#882255", marker="v", line="--"),
    onnx=Onnx(operator="RNN", gate_order=(0,), activations=("Relu",)),
)
CELLS["bare"] = Cell(
    name="bare",
    title="Bare",
    layer="SimpleRNN",
    options={"activation": "softsign"},
    parts=1,
    biases=1,
    relative_cost=0.7,
    look=Look(colour="#117733", marker="<", line=":"),
)
"""
POOLINGS = """

def _sum(keras: Any, is_token: Any, states: Any) -> Any:
    return keras.ops.sum(states * keras.ops.cast(is_token, "float32"), axis=1)


def _sum_in_onnx(
    graph: Any, is_token: str, lengths: str, states: str, weights: Any
) -> str:
    kept = graph.add("Mul", states, graph.add("Cast", is_token, to=1))
    return str(graph.add("ReduceSum", kept, graph.shape(0), keepdims=0))


POOLINGS["sum"] = Pooling(name="sum", in_keras=_sum, in_onnx=_sum_in_onnx)
"""
RECIPE = [*TINY, "--pooling=sum"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the copied package, its additions, and data; and a comparison."""
    folder = tmp_path_factory.mktemp("toy")
    package = folder / "package" / "seqclf"
    shutil.copytree(Path(seqclf.__file__).parent, package)
    for name, added in (("cells.py", CELLS), ("poolings.py", POOLINGS)):
        (package / name).write_text((package / name).read_text("utf-8") + added)
    data = folder / "reviews"
    data.mkdir()
    write_csv(data / "train.csv", reviews(160))
    write_csv(data / "validation.csv", reviews(40, start=160))
    write_csv(data / "test.csv", reviews(48, start=200))
    done = run(
        folder, "compare", "--data=reviews", "--cells=none,elman,bare", "--seeds=1",
        *RECIPE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "elman" in done.stdout
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(folder / "package")}
    return run_cli(list(arguments), folder, env=environment)


def test_a_training_of_its_own_is_reused_by_name(place):
    again = run(place, "train", "--cell=elman", "--data=reviews", *RECIPE, "--json")
    assert again.returncode == 0, again.stderr
    assert "reused" in again.stderr
    values = json.loads(again.stdout)
    # h (d + h + 1) in each of two directions, with 8 units and 8 inputs.
    assert values["environment"]["recurrent_parameters"] == 2 * 8 * (8 + 8 + 1)
    assert values["environment"]["onnx_difference"] < 1e-5


def test_the_comparison_is_shown_and_reported(place):
    folder = place / "models" / "reviews-compare"
    result = json.loads(run(place, "compare", str(folder), "--json").stdout)
    twins = [row["cell"] for row in result["rows"] if row["kind"] == "twin"]
    assert twins == ["none", "elman", "bare"]
    assert "Elman" in result["verdict"] or "Bare" in result["verdict"]
    page = (folder / "report.html").read_text("utf-8")
    assert "#882255" in page  # its colour, in the figures
    assert "elman" in run(place, "compare", str(folder), "--csv").stdout


@pytest.mark.parametrize("cell", ["elman", "bare"])
def test_it_predicts(place, cell):
    done = run(place, "predict", f"--run=reviews-{cell}-0", "--json", "a good film")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["label"] in ("bad", "good")


def test_it_is_exported_and_agrees_with_the_run(place):
    done = run(place, "export", "reviews-elman-0", "--format=onnx", "--format=keras")
    assert done.returncode == 0, done.stderr
    small = ("export", "reviews-elman-0", "--format=onnx", "--quantize=int8")
    assert run(place, *small).returncode == 0


def test_what_a_cell_lacks_is_refused_by_its_name(place):
    export = run(place, "export", "reviews-bare-0", "--format=onnx")
    assert export.returncode == 1
    assert "ONNX has no operator for bare" in " ".join(export.stderr.split())
    assert run(place, "export", "reviews-bare-0", "--format=keras").returncode == 0
    page = run(place, "export", "reviews-bare-0", "--format=page")
    assert page.returncode == 1
    assert "the cell bare, which has no description of its steps" in " ".join(
        page.stderr.split()
    )
    page = run(place, "export", "reviews-none-0", "--format=page")
    assert "the pooling sum, which has no description" in " ".join(page.stderr.split())
    study = run(place, "study", "gates", "--data=reviews", "--cells=bare", *TINY)
    assert study.returncode == 2
    assert "bare has no description of its steps" in " ".join(study.stderr.split())


def test_help_names_them(place):
    text = " ".join(run(place, "train", "--help").stdout.split())
    assert "elman" in text
    assert "sum" in text
