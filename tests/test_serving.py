"""Every example of docs/serving.md, run as it stands there, on a real artefact."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import invoke, not_here

from seqclf.classifier import Classifier
from seqclf.export import loading, texts

PAGE = (Path(__file__).parents[1] / "docs" / "serving.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def artefact(workplace, tmp_path_factory):
    """The finished run as an ONNX artefact; read only."""
    return exported(workplace, tmp_path_factory, "onnx")


def exported(workplace, tmp_path_factory, name: str) -> Path:
    folder = tmp_path_factory.mktemp("served") / name
    result = invoke(
        "export", "reviews-gru-0", f"--format={name}", f"--output={folder}",
        f"--models-dir={workplace / 'models'}",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    return folder


def run_alone(code: str, folder: Path) -> str:
    """Runs Python code in a folder, in a process that has no seqclf at hand."""
    guard = "\nimport sys\nassert 'seqclf' not in sys.modules\n"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code + guard],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_shows_the_code_that_checks_an_onnx_artefact():
    assert loading.loading_code("onnx").rstrip() in blocks("python")[0]


def test_the_python_example_runs_and_answers_as_the_run_does(artefact, finished_run):
    asked = "\nprint(json.dumps(predict(['a good film', ''])[1].tolist()))\n"
    shown = run_alone(blocks("python")[0] + asked, artefact).splitlines()
    assert shown[0].startswith("(['")
    expected = Classifier.open(finished_run).predict_proba(["a good film", ""])
    np.testing.assert_allclose(json.loads(shown[-1]), expected, atol=1e-6)


def test_the_scikit_learn_example_runs(artefact):
    shown = run_alone("\n\n".join(blocks("python")), artefact).splitlines()[-1]
    values = [float(number) for number in re.findall(r"[\d.]+(?:e-\d+)?", shown)]
    assert sum(values) == pytest.approx(1)


@pytest.mark.slow
def test_the_request_to_tensorflow_serving_gets_the_answer_that_is_shown(
    workplace, finished_run, tmp_path_factory
):
    import tensorflow as tf

    request, answer = map(json.loads, blocks("json"))
    folder = exported(workplace, tmp_path_factory, "saved_model")
    assert (folder / "1" / "saved_model.pb").is_file()  # base path and version
    signature = tf.saved_model.load(str(folder / "1")).signatures["serving_default"]
    # What the REST interface does in the row form: the signature's only input gets the
    # instances, and each row of the outputs is one prediction.
    [name] = signature.structured_input_signature[1]
    outputs = signature(**{name: tf.constant(request["instances"])})
    rows = [
        {key: plain(value[row]) for key, value in outputs.items()}
        for row in range(len(request["instances"]))
    ]
    assert [row.keys() for row in rows] == [r.keys() for r in answer["predictions"]]
    for row, shown in zip(rows, answer["predictions"], strict=True):
        assert type(row["label"]) is type(shown["label"])
        assert len(row["probabilities"]) == len(shown["probabilities"])
        assert sum(shown["probabilities"]) == pytest.approx(1, abs=1e-5)
    expected = Classifier.open(finished_run).predict_proba(request["instances"])
    found = [row["probabilities"] for row in rows]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def plain(value) -> object:
    found = value.numpy()
    return found.decode() if isinstance(found, bytes) else found.tolist()


@pytest.fixture(scope="module")
def node(tmp_path_factory) -> Path:
    """A folder in which Node finds onnxruntime-node."""
    if not shutil.which("node") or not shutil.which("npm"):
        not_here("node and npm are not here")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"private": true}')
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "onnxruntime-node"],
        cwd=folder,
        env=os.environ | {"ONNXRUNTIME_NODE_INSTALL": "skip"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    if done.returncode:  # without a network there is nothing to install from
        not_here(f"onnxruntime-node could not be installed: {done.stderr[-200:]}")
    return folder


@pytest.mark.slow
def test_the_javascript_example_gives_the_same_labels(node, artefact, finished_run):
    [code] = blocks("js")
    asked, _ = texts.verification_texts(finished_run)
    assert len(asked) >= 100
    (node / "texts.json").write_text(json.dumps(asked), "utf-8")
    (node / "example.mjs").write_text(
        f"{code}\nconst asked = JSON.parse(read(process.argv[2]));\n"
        "const found = [];\n"
        "for (const text of asked) found.push(await predict(text));\n"
        'console.log("ANSWERS" + JSON.stringify(found));\n',
        "utf-8",
    )
    done = subprocess.run(
        ["node", str(node / "example.mjs"), str(node / "texts.json")],
        cwd=artefact,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.split("ANSWERS")[1])
    expected = Classifier.open(finished_run).predict_proba(asked)
    labels = [finished_run.labels[i] for i in expected.argmax(axis=1)]
    assert [row["label"] for row in found] == labels
    given = [row["probabilities"] for row in found]
    np.testing.assert_allclose(given, expected, atol=1e-5)
