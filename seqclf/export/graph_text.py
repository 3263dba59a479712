"""The one path from text to token ids, as TensorFlow operations of a graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqclf.config import TextConfig
from seqclf.text.tokens import PADDING_ID, TEXT_RULES, UNKNOWN_ID, WORD_RULES, folding
from seqclf.text.vocabulary import Vocabulary, kept_ends

Tensor = Any


def tokens_in_graph(texts: Tensor) -> Tensor:
    """Applies the text rules, see `text.tokens`.

    Args:
      texts: string [n], UTF-8.

    Returns:
      A ragged string [n, tokens]; a text of markup and spaces alone has none.
    """
    import tensorflow as tf

    found = texts
    for pattern, to in TEXT_RULES:
        found = tf.strings.regex_replace(found, pattern, to)
    found = _folded(found)
    for pattern, to in WORD_RULES:
        found = tf.strings.regex_replace(found, pattern, to)
    found = tf.strings.split(found, " ")
    # A text that begins or ends with a space has empty parts there.
    return tf.ragged.boolean_mask(found, tf.not_equal(found, ""))


def _folded(texts: Tensor) -> Tensor:
    """Replaces characters by a table up to the last one that changes."""
    import tensorflow as tf

    before, after = (list(map(ord, folding()[key])) for key in ("from", "to"))
    table = np.arange(max(before) + 1, dtype=np.int32)
    table[before] = after
    points = tf.strings.unicode_decode(texts, "UTF-8")
    flat = points.flat_values
    changed = tf.gather(tf.constant(table), tf.minimum(flat, len(table) - 1))
    flat = tf.where(flat < len(table), changed, flat)
    return tf.strings.unicode_encode(points.with_flat_values(flat), "UTF-8")


def vocabulary_table(vocabulary: Vocabulary) -> Any:
    """Returns the ids of the tokens, a table stored in the graph, not in a file."""
    import tensorflow as tf

    words = vocabulary.tokens.to_pylist()
    ids = np.arange(len(words), dtype=np.int32)
    initializer = tf.lookup.KeyValueTensorInitializer(
        tf.constant(words, tf.string), tf.constant(ids)
    )
    return tf.lookup.StaticHashTable(initializer, default_value=UNKNOWN_ID)


def token_ids_in_graph(texts: Tensor, table: Any, config: TextConfig) -> Tensor:
    """Turns texts into what the model reads.

    Args:
      texts: string [n], UTF-8.
      table: From `vocabulary_table`.
      config: The text settings of the run.

    Returns:
      int32 [n, time], padded on the right with 0, `time` at least 1; a text without
      tokens is one unknown token.
    """
    import tensorflow as tf

    ids = table[tokens_in_graph(texts)]
    lengths = ids.row_lengths()
    places = tf.ragged.range(lengths).flat_values
    behind = tf.gather(lengths, ids.value_rowids()) - places
    head, tail = kept_ends(config)
    # Of a text that fits, every token is among the first `head` or the last `tail`.
    kept = tf.logical_or(places < head, behind <= tail)
    ids = tf.ragged.boolean_mask(ids, ids.with_flat_values(kept))
    is_empty = tf.equal(lengths, 0)
    unknown = tf.RaggedTensor.from_row_lengths(
        tf.fill([tf.math.count_nonzero(is_empty, dtype=tf.int32)], UNKNOWN_ID),
        tf.cast(is_empty, tf.int64),
    )
    padded = tf.concat([ids, unknown], axis=1).to_tensor(PADDING_ID)
    missing = tf.maximum(1 - tf.shape(padded)[1], 0)  # of no texts at all
    return tf.pad(padded, [[0, 0], [0, missing]], constant_values=PADDING_ID)
