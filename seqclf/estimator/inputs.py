"""What scikit-learn hands in: texts, labels and groups, checked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from seqclf.data.groups import group_ids, group_names
from seqclf.errors import DataError, InputError


def texts_of(X: Any) -> list[str]:  # noqa: N803 -- scikit-learn's name
    """Returns the texts as a list; refuses what is no text."""
    if isinstance(X, str | Mapping) or not isinstance(X, Iterable):
        raise InputError(f"X must be a sequence of texts, got {_short(X)}.")
    shape = getattr(X, "shape", (1,))
    if len(shape) != 1:
        raise InputError(
            f"X must have one dimension, a text a row, got shape {tuple(shape)}; "
            f"name one column, such as X['text'] or X[:, 0]."
        )
    texts = X.to_pylist() if isinstance(X, pa.Array | pa.ChunkedArray) else list(X)
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(
                f"X must hold texts, row {row} (from 0) is {_short(text)}; write '' "
                f"for a missing one."
            )
        if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
            raise InputError(f"X, row {row} (from 0): half a character (a surrogate).")
    return texts


def _short(value: Any) -> str:
    shown = repr(value)
    return f"{shown[:40]}{'…' * (len(shown) > 40)} ({type(value).__name__})"


def classes_of(y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Returns the distinct labels, sorted, and each row's index into them."""
    if y is None:
        raise InputError(
            "SequenceClassifier requires y to be passed, but the target y is None."
        )
    _refuse_missing(y)
    if (
        not isinstance(y, str)
        and isinstance(y, Iterable)
        and any(isinstance(one, list | tuple | set) for one in y)
    ):
        raise InputError(
            "y must be a 1d array, a label a text, and holds lists; seqclf train and "
            "seqclf.train learn several labels a text from a file."
        )
    labels = column_or_1d(y, warn=True)
    kinds = {type(label).__name__ for label in labels.tolist()}
    if len(kinds) > 1:
        raise InputError(
            f"y mixes {', '.join(sorted(kinds))}; give labels of one type, and none "
            f"that is missing."
        )
    if not len(labels):
        raise InputError("y has no labels.")
    assert_all_finite(labels, input_name="y")
    check_classification_targets(labels)
    classes, label_ids = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise InputError(
            f"a classifier needs at least two classes, y has one class, "
            f"{classes.tolist()[0]!r}."
        )
    return classes, label_ids.astype(np.int32)


def _refuse_missing(y: Any) -> None:
    """Refuses None, NaN and the like among objects; numpy makes strings of them."""
    kind = getattr(getattr(y, "dtype", None), "kind", "")
    if not isinstance(y, list | tuple) and kind != "O":
        return
    for row, label in enumerate(y):
        missing = type(label).__name__ in ("NoneType", "NAType", "NaTType")
        if missing or (isinstance(label, float) and math.isnan(label)):
            raise InputError(
                f"y, row {row} (from 0): {label!r} is no label; leave out the texts "
                f"without one, or give them a label of their own."
            )


def names_of(classes: np.ndarray) -> tuple[str, ...]:
    """Returns the classes as a run names its labels."""
    return tuple(str(label) for label in classes.tolist())


def groups_of(groups: Any) -> np.ndarray:
    """Returns a number for each row's group, int32 [n], as the command line does."""
    try:
        values = pa.chunked_array([pa.array(groups, from_pandas=True)])
        return group_ids(group_names(values, "groups"))
    except (pa.ArrowException, TypeError, DataError) as error:
        raise InputError(
            f"groups must be all strings or all numbers, one a text, got "
            f"{_short(groups)}."
        ) from error
