"""The settings of the text: how it becomes token ids."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from seqclf.config.checks import require_choice, require_count
from seqclf.config.fields import setting

KEEP_NAMES = ("head", "tail", "both")
WORD, CHAR, SUBWORD = TOKENS_NAMES = ("word", "char", "subword")
UNITS = {WORD: "word", CHAR: "character", SUBWORD: "piece"}  # what people call a token
FURTHER = 2.5  # times as far as in training texts are read outside it


@dataclass(frozen=True, slots=True, kw_only=True)
class TextConfig:
    """How texts become token ids.

    The help of a field says what it does. Beside it:

    Attributes:
      tokens: `char` and `subword` split the words of `word`, see `text.tokens`.
      vocabulary_size: 30,000 as in Johnson & Zhang 2016 (arXiv:1602.02373).
      max_length: 400 keeps 4 of 5 IMDB reviews whole.
      predict_length: None is two and a half times `max_length`; what is read of
        validation and test, and in prediction (docs/recipe.md).
      keep: `both` keeps equal parts of head and tail: the verdict of a long review is
        often at its end.
    """

    tokens: str = setting(
        WORD,
        "What a token is: word, char, or subword (pieces of words, learnt from train; "
        "try --vocabulary-size 4000).",
    )
    vocabulary_size: int = setting(
        30_000, "Vocabulary size: the most frequent training tokens."
    )
    min_count: int = setting(
        2, "Minimum count of a training token; rarer ones become unknown."
    )
    max_length: int = setting(
        400, "Maximum tokens per text; longer texts are truncated."
    )
    predict_length: int | None = setting(
        None,
        "Maximum tokens per text outside training; at least --max-length.",
        shown="2.5 times --max-length",
    )
    keep: str = setting("both", "What to keep of a truncated text: head, tail, both.")

    def __post_init__(self) -> None:
        require_choice("tokens", self.tokens, TOKENS_NAMES)
        for name in ("vocabulary_size", "min_count", "max_length"):
            require_count(name, getattr(self, name))
        if self.predict_length is not None:
            require_count("predict_length", self.predict_length, self.max_length)
        require_choice("keep", self.keep, KEEP_NAMES)

    @property
    def reading(self) -> TextConfig:
        """How texts are read outside training."""
        most = self.predict_length or round(FURTHER * self.max_length)
        return dataclasses.replace(self, max_length=most, predict_length=most)
