"""Batches of similar length, padded on the right, in an order from (seed, epoch)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from seqclf.config import TrainingConfig
from seqclf.text.encoding import Examples
from seqclf.text.tokens import PADDING_ID, UNKNOWN_ID

BATCH_SIZE = 64
# With 64 texts a batch, 700 texts make ten steps an epoch, too few to learn from.
SMALLER = {1_500: 16, 6_000: 32}  # batch size, by the number of texts it is for fewer
WINDOW_BATCHES = 50  # shuffled batches that are sorted by length together


@dataclass(frozen=True, slots=True)
class Batch:
    """Some examples of a split, padded to the longest of them.

    Attributes:
      indices: int64 [batch], places in the split.
      token_ids: int32 [batch, time], padded on the right with 0.
      label_ids: int32 [batch], or bool [batch, labels], see `Examples`.
    """

    indices: np.ndarray
    token_ids: np.ndarray
    label_ids: np.ndarray


def batch_size_of(config: TrainingConfig, num_texts: int) -> int:
    """Returns the batch size for so many training texts, if it is automatic."""
    fitting = (size for most, size in SMALLER.items() if num_texts < most)
    return config.batch_size or next(fitting, BATCH_SIZE)


def epoch_order(
    lengths: np.ndarray, config: TrainingConfig, epoch: int
) -> list[np.ndarray]:
    """Divides examples into batches of similar length.

    Shuffle all, sort by length within windows of 50 batches, cut, shuffle the
    batches: little padding, and still another division each epoch. The order depends
    on (seed, epoch) alone, so twins see the same batches.

    Args:
      lengths: int [examples], tokens of each text.
      config: Its `seed`, and `batch_size` (the last of a window may have fewer
        examples) or `batch_tokens` (the most positions of a batch, padding included;
        one text alone may have more).
      epoch: Epoch, from 1.

    Returns:
      Index arrays, int64 [batch]; together they hold each example once.
    """
    generator = np.random.default_rng([config.seed, epoch])
    order = generator.permutation(len(lengths))
    batch_size = examples = batch_size_of(config, len(lengths))
    if config.batch_tokens is not None:
        examples = max(int(config.batch_tokens / lengths.mean()), 1)
    window = WINDOW_BATCHES * examples
    batches: list[np.ndarray] = []
    for start in range(0, len(order), window):
        inside = order[start : start + window]
        inside = inside[np.argsort(lengths[inside], kind="stable")]
        cuts = _cuts(lengths[inside], batch_size, config.batch_tokens)
        batches += np.split(inside, cuts)
    return [batches[i] for i in generator.permutation(len(batches))]


def _cuts(lengths: np.ndarray, batch_size: int, batch_tokens: int | None) -> list[int]:
    """Returns where to cut examples, sorted by length, into batches."""
    if batch_tokens is None:
        return list(range(batch_size, len(lengths), batch_size))
    cuts, start = [], 0
    for place, length in enumerate(lengths.tolist()):
        # The longest so far is the last: the batch would be padded to its length.
        if place > start and (place + 1 - start) * length > batch_tokens:
            cuts.append(place)
            start = place
    return cuts


def num_batches(lengths: np.ndarray, config: TrainingConfig, epoch: int) -> int:
    """Returns how many batches an epoch has; with `batch_tokens` epochs differ."""
    if config.batch_tokens is None:
        return math.ceil(len(lengths) / batch_size_of(config, len(lengths)))
    return len(epoch_order(lengths, config, epoch))


def training_batches(
    examples: Examples, config: TrainingConfig, epoch: int
) -> Iterator[Batch]:
    """Yields one epoch, from 1: each example once, a share of the tokens made unknown.

    The config gives the size of the batches, word dropout and seed.
    """
    rate = word_dropout_of(config, epoch)
    order = epoch_order(examples.lengths, config, epoch)
    generator = np.random.default_rng([config.seed, epoch, 1])
    for indices in order:
        batch = pad(examples, indices)
        drop_words(batch.token_ids, rate, generator)
        yield batch


def word_dropout_of(config: TrainingConfig, epoch: int) -> float:
    """Returns the share of tokens that become unknown in an epoch, from 1.

    Where it grows, it does so evenly, from none in the first epoch to the rate in the
    last; of automatic epochs the last is known in training alone, see `recipe`.
    """
    rate, epochs = config.word_dropout_rate, config.epochs or 1
    if not config.grow_word_dropout or epochs == 1:
        return rate
    return rate * min((epoch - 1) / (epochs - 1), 1)


def sorted_order(
    lengths: np.ndarray, batch_size: int, batch_tokens: int | None = None
) -> list[np.ndarray]:
    """Divides examples into batches, the shortest first, for prediction.

    `lengths` are int [examples], tokens of each text. A batch has `batch_size` examples
    or, if given, at most `batch_tokens` positions, padding included.

    Returns:
      Index arrays, int64 [batch]; together they hold each example once.
    """
    order = np.argsort(lengths, kind="stable")
    return np.split(order, _cuts(lengths[order], batch_size, batch_tokens))


def pad(examples: Examples, indices: np.ndarray) -> Batch:
    """Puts the named examples into one array, padded on the right."""
    starts, ends = examples.offsets[indices], examples.offsets[indices + 1]
    shape = len(indices), int((ends - starts).max())
    token_ids = np.full(shape, PADDING_ID, np.int32)
    for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
        token_ids[row, : end - start] = examples.token_ids[start:end]
    return Batch(indices, token_ids, examples.label_ids[indices])


def drop_words(
    token_ids: np.ndarray, rate: float, generator: np.random.Generator
) -> None:
    """Replaces, in place, a fraction `rate` of the tokens by the unknown one."""
    if rate:
        dropped = generator.random(token_ids.shape, np.float32) < rate
        token_ids[dropped & (token_ids != PADDING_ID)] = UNKNOWN_ID


def shuffle_words(examples: Examples, begins_word: np.ndarray) -> Examples:
    """Returns the same texts, the words of each in a random order.

    `begins_word`, bool [vocabulary], says which tokens begin a word; the others stay
    behind the token before them. The order depends on the lengths of texts and words
    alone, so it is the same for all models.
    """
    texts = np.repeat(np.arange(len(examples)), examples.lengths)
    begins = begins_word[examples.token_ids]
    begins[examples.offsets[:-1]] = True
    keys = np.random.default_rng(0).random(int(begins.sum()))
    # Stable: the tokens of a word, which have one key, stay together.
    order = np.lexsort((keys[np.cumsum(begins) - 1], texts))
    return dataclasses.replace(examples, token_ids=examples.token_ids[order])


def padding_share(batches: list[np.ndarray], lengths: np.ndarray) -> float:
    """Returns the fraction of positions, in [0, 1), that hold padding."""
    positions = sum(len(batch) * int(lengths[batch].max()) for batch in batches)
    return 1 - float(lengths.sum()) / positions
