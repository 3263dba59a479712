from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from seqclf.text import arrays


@pytest.mark.parametrize("texts", [[], [""], ["a", "", "größe", "好"]])
def test_strings_are_those_of_pyarrow(texts):
    assert arrays.strings(texts).equals(pa.array(texts, pa.string()))
    lengths = [len(text.encode()) for text in texts]
    assert arrays.text_lengths(pa.array(texts, pa.string())).tolist() == lengths


def test_parts_of_arrays_keep_their_offsets():
    part = pa.array(["skip", "ab", "", "c", "skip"]).slice(1, 3)
    assert arrays.text_lengths(part).tolist() == [2, 0, 1]
    numbers = pa.array([9, 1, None, 3, 9], pa.int32()).slice(1, 3)
    assert arrays.as_numpy(numbers, null=7).tolist() == [1, 7, 3]
    assert arrays.as_numpy(pa.array([5, 6], pa.int64())[1:]).tolist() == [6]
    assert arrays.as_numpy(pa.array([], pa.int32())).dtype == np.int32


@pytest.mark.parametrize("n", [0, 1, 8, 9, 100])
def test_numbers_and_truths_are_those_of_pyarrow(n):
    values = np.random.default_rng(n).integers(0, 2, n)
    assert arrays.integers(values).equals(pa.array(values, pa.int32()))
    assert arrays.booleans(values == 1).equals(pa.array(values == 1))


def test_a_prediction_imports_neither_arrow_nor_pandas_nor_keras(finished_run):
    code = """
import sys
from seqclf.classifier import Classifier
from seqclf.runs import Run
from pathlib import Path
Classifier.open(Run(Path(sys.argv[1]))).predict_proba(["a good film", ""])
heavy = {"pyarrow", "pandas", "keras", "tensorflow", "sklearn", "scipy"}
print(sorted(heavy & set(sys.modules)))
"""
    command = [sys.executable, "-c", code, str(finished_run.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
