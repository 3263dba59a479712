"""Which settings are part of the question that a run answers, and where two differ."""

from __future__ import annotations

from collections.abc import Mapping

from seqclf.config.data import SOURCE_FIELDS, DataConfig
from seqclf.config.model import ORTHOGONAL, TANH
from seqclf.config.plain import Setting, Settings, flat, to_dict
from seqclf.config.run import RunConfig
from seqclf.config.text import WORD
from seqclf.config.training import ADAMW

# What names a file or a run: its content counts, by a digest.
NAMES_OF_CONTENT = frozenset(("vectors", "init_from", "teach"))

# Settings that older files do not name, with the value that leaves everything as it was
# then. With it they are no part of `question`, so that such files still ask the same.
LATER_FIELDS = {
    "group_column": None, "tokens": WORD, "conv_width": None, "baseline": None,
    "freeze_embedding": False, "grow_word_dropout": False, "taught": None,
    "pretrain": None, "digest": None, "resample": None, "fold": None,
    "optimizer": ADAMW, "activation": TANH, "recurrent_init": ORTHOGONAL,
    "recurrent_scale": 1.0, "forget_bias": 1.0, "update_bias": 0.0, "chrono": None,
}  # fmt: skip


def same_question(a: RunConfig, b: RunConfig) -> bool:
    """Tells whether two configs give the same numbers on the same data.

    Where the data is does not count: content is compared by fingerprint.
    """
    return not differences(a, b)


def differences(a: RunConfig, b: RunConfig) -> list[str]:
    """Lists the settings in which two configs differ, such as `model.units: 64, 128`.

    Where the data is, `SOURCE_FIELDS`, is left out.
    """
    left, right = flat(_divided(a)), flat(_divided(b))
    return [f"{k}: {left[k]}, {right[k]}" for k in left if left[k] != right[k]]


def question(config: RunConfig) -> Settings:
    """Returns plain values that are equal for configs of the same question.

    That is `to_dict` without the fields that say where something is, `as_before`, and
    without parts in which nothing is left.
    """
    kept = {part: as_before(values) for part, values in _divided(config).items()}
    return {part: values for part, values in kept.items() if values}


def as_before(values: Mapping[str, Setting]) -> dict[str, Setting]:
    """Returns settings without those of later versions that change nothing.

    These are `LATER_FIELDS`, and a text is read in prediction as far as in training.
    """
    before = LATER_FIELDS | {"predict_length": values.get("max_length")}
    return {k: v for k, v in values.items() if k not in before or v != before[k]}


def division(data: DataConfig) -> dict[str, Setting]:
    """Returns how the data is divided, as `question` has it."""
    return question(RunConfig(data=data))["data"]


def _divided(config: RunConfig) -> Settings:
    """Returns `to_dict` without the fields that say where something is."""
    named = SOURCE_FIELDS | NAMES_OF_CONTENT
    return {
        part: {key: value for key, value in values.items() if key not in named}
        for part, values in to_dict(config).items()
    }
