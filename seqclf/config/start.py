"""The settings of what a network knows before it is trained."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from seqclf.config.checks import require_choice
from seqclf.config.fields import setting
from seqclf.errors import ConfigError

PRETRAIN_NAMES = WORD_VECTORS, LANGUAGE_MODEL = ("svd", "lm")

# Settings of what a network knows from elsewhere; studies have nothing of it.
START_FIELDS = ("vectors", "init_from", "pretrain", "freeze_embedding", "teach")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartConfig:
    """What a network knows before it is trained; the same for all twins.

    The help of a field says what it does. Beside it:

    Attributes:
      vectors: The embedding is as wide as they are.
      pretrain: See `start.cooccurrence` and `training.language_model`; the vectors are
        the same for all twins, and what the language model makes of them is not. What
        does not recur cannot go on with a text: it has the vectors alone.
      digest: A hash of the weights that the file or the run gave; no option.
    """

    vectors: str | None = setting(
        None,
        "Begin with word vectors: a text file (GloVe, word2vec, fastText; also .gz), "
        "or OWNER/NAME/FILE on the Hub.",
        None,
        "random",
    )
    init_from: str | None = setting(
        None,
        "Begin with the embedding and, for the same cell, the recurrent weights of a "
        "run.",
        None,
        "random",
    )
    pretrain: str | None = setting(
        None,
        "Learn from train and unlabelled texts first: svd, word vectors in seconds; "
        "lm, then also a language model with each recurrent layer itself.",
        None,
        "no pre-training",
    )
    digest: str | None = None

    def __post_init__(self) -> None:
        if self.pretrain is not None:
            require_choice("pretrain", self.pretrain, PRETRAIN_NAMES)
        names = [one.name for one in dataclasses.fields(self) if one.name != "digest"]
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) > 1:
            options = " and ".join(f"--{name.replace('_', '-')}" for name in given)
            raise ConfigError(f"{options} exclude each other; give one.")

    @property
    def is_random(self) -> bool:
        """Whether all weights are drawn."""
        return self == StartConfig()
