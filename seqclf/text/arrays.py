"""Between Arrow arrays and Python or numpy values, without pandas.

`pyarrow.array` and `to_numpy` import pandas where it is installed, a quarter of a
second, only to find that there is nothing of pandas's. `seqclf predict` cannot afford
that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqclf.arrow import pa


def strings(texts: Sequence[str]) -> pa.StringArray:
    """Returns the texts as string [texts], at most 2 GiB of them."""
    encoded = [text.encode() for text in texts]
    offsets = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    content = pa.py_buffer(b"".join(encoded))
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(offsets), content)


def integers(values: np.ndarray) -> pa.Int32Array:
    """Returns a numpy array of integers as int32 [values]."""
    buffer = pa.py_buffer(np.ascontiguousarray(values, np.int32))
    return pa.Int32Array.from_buffers(pa.int32(), len(values), [None, buffer])


def booleans(values: np.ndarray) -> pa.BooleanArray:
    """Returns a numpy array of bool as bool [values]."""
    bits = pa.py_buffer(np.packbits(values, bitorder="little"))
    return pa.BooleanArray.from_buffers(pa.bool_(), len(values), [None, bits])


def as_numpy(array: pa.Array, null: int = 0) -> np.ndarray:
    """Returns an int32 or int64 array as numpy, with `null` in the place of nulls."""
    dtype = {32: np.int32, 64: np.int64}[array.type.bit_width]
    if not len(array):  # which may have no buffers
        return np.empty(0, dtype)
    part = slice(array.offset, array.offset + len(array))
    validity, content = array.buffers()
    values = np.frombuffer(content, dtype)[part]
    if not array.null_count:
        return values
    bits = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")[part]
    return np.where(bits, values, values.dtype.type(null))


def text_lengths(texts: pa.StringArray) -> np.ndarray:
    """Returns the bytes of each text, int32 [texts], of an array without nulls."""
    if not len(texts):
        return np.empty(0, np.int32)
    offsets = np.frombuffer(texts.buffers()[1], np.int32)
    return np.diff(offsets[texts.offset : texts.offset + len(texts) + 1])
