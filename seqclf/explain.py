"""Which words moved an answer, and where the model made up its mind."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from seqclf.classifier import BATCH_SIZE, BATCH_TOKENS, Classifier
from seqclf.config import TextConfig
from seqclf.errors import ConfigError
from seqclf.model.scoring import Predict, batched_logits, probabilities_of
from seqclf.runs.mean import mean
from seqclf.text.arrays import strings
from seqclf.text.batching import sorted_order
from seqclf.text.encoding import Examples
from seqclf.text.tokens import UNKNOWN_ID, TokenizedTexts
from seqclf.text.vocabulary import encode, kept_codes, tokens_of

MOST_TOKENS = 400  # explained; the model reads a text about twice for each


@dataclass(frozen=True, slots=True)
class Effects:
    """What each token of a text does to the answer.

    Attributes:
      probabilities: float32 [labels], of the whole text.
      label: The likeliest label of the whole text, an index; where it may have several,
        of those that apply, if any does.
      effects: float32 [tokens], in [-1, 1]: the probability of `label` less what it is
        with this token replaced by the unknown one. Above 0 the token speaks for the
        label. 0 for tokens that are unknown anyway.
      running: float32 [tokens], the probability of `label` after the text up to and
        with this token.
      decided: The least place, from 1, from which on every such beginning of the text
        has `label` as its likeliest or, where a text may have several labels, as one
        that applies if it does in the end, and else as one that does not.
      applies: Whether `label` applies; None where a text has one label.
    """

    probabilities: np.ndarray
    label: int
    effects: np.ndarray
    running: np.ndarray
    decided: int
    applies: bool | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A text, as the model reads it, with what its tokens do.

    Attributes:
      tokens: The tokens that are explained, in order; none if the text has none.
      known: bool [tokens], whether the vocabulary has them; of a mean, that of any.
      kind: What a token is, the setting `tokens`.
      num_tokens: How many tokens the text has.
      num_read: How many of them the model reads; the others are truncated.
      effects: What they do, of the explained tokens alone. Of a text without tokens it
        is that of one unknown token.
    """

    tokens: tuple[str, ...]
    known: np.ndarray
    kind: str
    num_tokens: int
    num_read: int
    effects: Effects

    @property
    def unknown(self) -> float:
        """The share of the tokens that are not known; 1 if there are none."""
        return float(1 - self.known.mean()) if len(self.known) else 1.0


@dataclass(frozen=True, slots=True)
class Probed:
    """What a model, or the mean of several, says of parts of a text.

    Attributes:
      after: float32 [tokens, labels], probabilities after each token.
      without: float32 [tokens, labels], of the whole text with this token replaced by
        the unknown one.
    """

    after: np.ndarray
    without: np.ndarray


def effects_of(
    predict: Predict, token_ids: np.ndarray, num_labels: int, threads: int = 1
) -> Effects:
    """Measures what each token does, by leaving it out and by stopping behind it.

    `token_ids` are int32 [tokens], one at least, none of them padding; the rest is as
    for `batched_logits`. A text has one label.
    """
    return _effects(_probed(predict, token_ids, num_labels, threads))


def _probed(
    predict: Predict,
    token_ids: np.ndarray,
    num_labels: int,
    threads: int,
    several: bool = False,
) -> Probed:
    length = len(token_ids)
    known = np.flatnonzero(token_ids != UNKNOWN_ID)
    without = np.tile(token_ids, (len(known), 1))
    without[np.arange(len(known)), known] = UNKNOWN_ID
    rows = [*(token_ids[:end] for end in range(1, length + 1)), *without]
    logits = _logits(predict, rows, num_labels, threads)
    probabilities = probabilities_of(logits, several)
    after = probabilities[:length]
    left_out = np.tile(after[-1], (length, 1))
    left_out[known] = probabilities[length:]
    return Probed(after, left_out)


def _effects(probed: Probed, thresholds: np.ndarray | None = None) -> Effects:
    after = probed.after
    if thresholds is None:
        label, applies = int(after[-1].argmax()), None
        says = after.argmax(axis=1) == label
    else:
        said = after >= thresholds
        candidates = said[-1] | ~said[-1].any()
        label = int(np.where(candidates, after[-1], -1).argmax())
        says, applies = said[:, label], bool(said[-1, label])
    effects = after[-1, label] - probed.without[:, label]
    others = np.flatnonzero(says != says[-1])
    decided = int(others[-1]) + 2 if len(others) else 1
    return Effects(after[-1], label, effects, after[:, label], decided, applies)


def _logits(
    predict: Predict, rows: list[np.ndarray], num_labels: int, threads: int
) -> np.ndarray:
    lengths = np.array([len(row) for row in rows])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    examples = Examples(np.concatenate(rows), offsets, np.zeros(len(rows), np.int32))
    order = sorted_order(lengths, BATCH_SIZE, BATCH_TOKENS)
    return batched_logits(predict, examples, order, num_labels, threads)


def explain(classifier: Classifier, text: str) -> Explanation:
    """Explains the answer to a text.

    At most `MOST_TOKENS` tokens are explained. Of a longer text they are those that the
    model would read if its `max_length` were that, and the answer is the answer to
    these: the work grows with the square of their number. Any text does, the empty one
    too. Of a mean, probabilities are means throughout, and the tokens are those of the
    model that reads least. Where a text may have several labels, one is explained, the
    likeliest of those that apply, or of all if none does.

    Raises:
      ConfigError: If the classifier is a mean of models that split texts otherwise.
    """
    members = (classifier, *classifier.others)
    longest = max(member.text.max_length for member in members)
    settings = min((m.text for m in members), key=lambda text: text.max_length)
    limit = min(settings.max_length, MOST_TOKENS)
    settings = dataclasses.replace(settings, max_length=limit)
    tokenized = [tokens_of(strings([text]), m.vocabulary, m.text) for m in members]
    tokens = _tokens(tokenized, settings)
    probed, known = [], []
    for member, found in zip(members, tokenized, strict=True):
        token_ids, _ = encode(found, member.vocabulary, settings)
        width, several = len(member.labels), member.thresholds is not None
        asked = (member.logits, token_ids, width, member.threads, several)
        probed.append(_probed(*asked))
        known.append((token_ids != UNKNOWN_ID)[: len(tokens)])
    together = Probed(
        mean([one.after for one in probed]), mean([one.without for one in probed])
    )
    num_tokens = len(tokenized[0].codes)
    return Explanation(
        tokens=tokens,
        known=reduce(np.logical_or, known),
        kind=settings.tokens,
        num_tokens=num_tokens,
        num_read=min(num_tokens, longest),
        effects=_effects(together, classifier.thresholds),
    )


def _tokens(
    tokenized: Sequence[TokenizedTexts], settings: TextConfig
) -> tuple[str, ...]:
    """Returns the tokens to explain, which all models must have of the text."""
    [names, *others] = [one.to_pylist()[0] for one in tokenized]
    if any(other != names for other in others):
        raise ConfigError(
            "the models of this mean split the text into other tokens, so that none "
            "can be left out of all; name one run with --run."
        )
    own = tokenized[0].tokens.to_pylist()
    return tuple(own[code] for code in kept_codes(tokenized[0], settings))


def explained_values(explained: Explanation) -> dict[str, Any]:
    """Returns an explanation as plain values, as `predict --explain --json` prints."""
    effects = explained.effects
    return {
        "tokens": explained.num_tokens,
        "tokens_read": explained.num_read,
        "tokens_explained": len(explained.tokens),
        "decided_at": effects.decided if explained.tokens else None,
        "words": [
            {"token": token, "known": known, "effect": effect, "running": running}
            for token, known, effect, running in zip(
                explained.tokens,
                explained.known.tolist(),
                effects.effects.tolist(),
                effects.running.tolist(),
                strict=False,
            )
        ],
    }
