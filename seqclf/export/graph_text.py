"""The one path from text to token ids, as TensorFlow operations of a graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqclf.config import SUBWORD, WORD, TextConfig
from seqclf.text.tokens import (
    LONGEST,
    PADDING_ID,
    RULES_OF,
    TEXT_RULES,
    UNKNOWN_ID,
    folding,
)
from seqclf.text.vocabulary import Vocabulary, kept_ends

Tensor = Any


def tokens_in_graph(texts: Tensor, kind: str = WORD) -> Tensor:
    """Applies the text rules, see `text.tokens`.

    Args:
      texts: string [n], UTF-8.
      kind: The setting `tokens`; of `subword` these are whole words.

    Returns:
      A ragged string [n, tokens]; a text of markup and spaces alone has none.
    """
    import tensorflow as tf

    found = tf.strings.split(_spaced(texts, kind), " ")
    # A text that begins or ends with a space has empty parts there.
    return tf.ragged.boolean_mask(found, tf.not_equal(found, ""))


def _spaced(texts: Tensor, kind: str) -> Tensor:
    """Returns the tokens of each text, string [n], with spaces between them."""
    import tensorflow as tf

    found = texts
    for pattern, to in TEXT_RULES:
        found = tf.strings.regex_replace(found, pattern, to)
    found = _folded(found)
    for pattern, to in RULES_OF[kind]:
        found = tf.strings.regex_replace(found, pattern, to)
    return found


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

    words = vocabulary.tokens
    ids = np.arange(len(words), dtype=np.int32)
    initializer = tf.lookup.KeyValueTensorInitializer(
        tf.constant(words, tf.string), tf.constant(ids)
    )
    return tf.lookup.StaticHashTable(initializer, default_value=UNKNOWN_ID)


def _ids_of_pieces(texts: Tensor, table: Any) -> Tensor:
    """Divides words as `text.pieces` does, all of them at the same time.

    Args:
      texts: string [n], words with the sign of their beginning, between spaces.
      table: From `vocabulary_table`.

    Returns:
      Ragged int32 [n, pieces].
    """
    import tensorflow as tf

    # A space behind each text: no piece has one, so none reaches into the next word.
    rows = tf.strings.unicode_split(tf.strings.join([texts, " "]), "UTF-8")
    characters = rows.flat_values
    ids, lengths = _longest(characters, table)
    begins = tf.logical_and(_visited(lengths), tf.not_equal(characters, " "))
    return tf.ragged.boolean_mask(
        rows.with_flat_values(ids), rows.with_flat_values(begins)
    )


def _longest(characters: Tensor, table: Any) -> tuple[Tensor, Tensor]:
    """Returns the longest piece from each character on: ids and lengths, int32 [n]."""
    import tensorflow as tf

    size, piece = tf.size(characters), characters
    ids, lengths = tf.fill([size], UNKNOWN_ID), tf.ones([size], tf.int32)
    for length in range(1, LONGEST + 1):
        found = table[piece]
        is_known = tf.not_equal(found, UNKNOWN_ID)
        ids = tf.where(is_known, found, ids)
        lengths = tf.where(is_known, length, lengths)
        spaces = tf.fill([tf.minimum(length, size)], " ")
        piece = tf.strings.join([piece, tf.concat([characters[length:], spaces], 0)])
    return ids, lengths


def _visited(lengths: Tensor) -> Tensor:
    """Returns which places a walk from the first visits, bool [n].

    It goes on by `lengths`, int32 [n]. What it has visited goes twice as far each time.
    """
    import tensorflow as tf

    size = tf.size(lengths)
    places = tf.range(size + 1)  # the last is the end
    ahead = tf.minimum(places + tf.concat([lengths, [0]], 0), size)

    def double(steps: Tensor, ahead: Tensor, visited: Tensor) -> tuple[Tensor, ...]:
        further = tf.math.unsorted_segment_max(visited, ahead, size + 1)
        return 2 * steps, tf.gather(ahead, ahead), tf.maximum(visited, further)

    start = (tf.constant(1), ahead, tf.cast(tf.equal(places, 0), tf.int32))
    _, _, visited = tf.while_loop(lambda steps, *_: steps <= size, double, start)
    return tf.equal(visited[:-1], 1)


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

    if config.tokens == SUBWORD:
        ids = _ids_of_pieces(_spaced(texts, SUBWORD), table)
    else:
        ids = table[tokens_in_graph(texts, config.tokens)]
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
