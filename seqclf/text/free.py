"""Texts that may be learnt from: those that are held out nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from seqclf.arrow import pa, pc
from seqclf.data.dataset import GROUP, NO_GROUP
from seqclf.text.arrays import booleans
from seqclf.text.tokens import BLOCK_ROWS


def free_batches(
    given: Sequence[pa.Table], held_out: Sequence[pa.Table]
) -> Iterator[pa.Array]:
    """Yields the texts given, string [batch], but those that are held out.

    Texts are the same if they are once each run of white space is one space and capital
    letters are small. Rows may have groups, a column `GROUP`: then a text of a group
    that has rows held out is left out too.
    """
    chunks = [chunk for rows in held_out for chunk in rows["text"].chunks]
    texts = pa.concat_arrays([_plain(chunk) for chunk in chunks])
    groups = np.concatenate([_groups(rows) for rows in held_out])
    groups = groups[groups != NO_GROUP]
    for rows in given:
        for batch in rows.to_batches(max_chunksize=BLOCK_ROWS):
            is_text = pc.is_in(_plain(batch["text"]), value_set=texts).to_numpy(False)
            is_hidden = is_text | np.isin(_groups(batch), groups)
            yield batch["text"].filter(booleans(~is_hidden))


def _groups(rows: pa.Table | pa.RecordBatch) -> np.ndarray:
    """Returns the group of each row, int32 [rows]."""
    if GROUP not in rows.schema.names:
        return np.full(rows.num_rows, NO_GROUP, np.int32)
    return np.asarray(rows[GROUP].to_numpy(zero_copy_only=False))


def _plain(texts: pa.Array) -> pa.Array:
    spaced = pc.replace_substring_regex(texts, pattern=r"\s+", replacement=" ")
    return pc.utf8_lower(pc.utf8_trim_whitespace(spaced))
