"""Every setting that changes numbers, in five frozen dataclasses.

Defaults are here and nowhere else: the command line takes its defaults and its help
from these fields. The default recipe was chosen on validation data only, see
docs/recipe.md.

`data`, `text`, `model`, `training` and `start` have a dataclass each, `run` all five.
`fields` and `checks` are what they are made of; `plain` writes and reads them, and
`questions` tells whether two configs ask the same.
"""

from seqclf.config.checks import DELIMITER_NAMES, require_count
from seqclf.config.data import SOURCE_FIELDS, DataConfig, fold_of
from seqclf.config.fields import BASIC, DIALS, ELSEWHERE, FILES, HELP, LABELS
from seqclf.config.model import (
    ACTIVATION_NAMES,
    BASELINE_NAMES,
    GLOROT,
    IDENTITY,
    INIT_NAMES,
    RELU,
    TANH,
    ModelConfig,
)
from seqclf.config.plain import Setting, flat, from_dict, of_run, to_dict
from seqclf.config.questions import (
    as_before,
    differences,
    division,
    question,
    same_question,
)
from seqclf.config.run import (
    RunConfig,
    are_drawn_anew,
    draw_of,
    drawn,
    has_own_draw,
    linear,
    twin,
    undrawn,
)
from seqclf.config.start import (
    LANGUAGE_MODEL,
    PRETRAIN_NAMES,
    START_FIELDS,
    StartConfig,
)
from seqclf.config.text import (
    CHAR,
    KEEP_NAMES,
    SUBWORD,
    TOKENS_NAMES,
    UNITS,
    WORD,
    TextConfig,
)
from seqclf.config.training import (
    ADAM,
    ADAMW,
    CLASS_WEIGHT_NAMES,
    EQUAL,
    KERNEL_NAMES,
    MOMENTUM,
    OPTIMIZER_NAMES,
    RATES,
    RMSPROP,
    SGD,
    TrainingConfig,
)

__all__ = [
    "ACTIVATION_NAMES",
    "ADAM",
    "ADAMW",
    "BASELINE_NAMES",
    "BASIC",
    "CHAR",
    "CLASS_WEIGHT_NAMES",
    "EQUAL",
    "DELIMITER_NAMES",
    "DIALS",
    "ELSEWHERE",
    "FILES",
    "GLOROT",
    "HELP",
    "IDENTITY",
    "INIT_NAMES",
    "KEEP_NAMES",
    "KERNEL_NAMES",
    "LABELS",
    "LANGUAGE_MODEL",
    "MOMENTUM",
    "OPTIMIZER_NAMES",
    "PRETRAIN_NAMES",
    "RATES",
    "RELU",
    "RMSPROP",
    "SGD",
    "SOURCE_FIELDS",
    "START_FIELDS",
    "SUBWORD",
    "TANH",
    "TOKENS_NAMES",
    "UNITS",
    "WORD",
    "DataConfig",
    "ModelConfig",
    "RunConfig",
    "Setting",
    "StartConfig",
    "TextConfig",
    "TrainingConfig",
    "are_drawn_anew",
    "as_before",
    "differences",
    "division",
    "draw_of",
    "drawn",
    "flat",
    "fold_of",
    "from_dict",
    "has_own_draw",
    "linear",
    "of_run",
    "question",
    "require_count",
    "same_question",
    "to_dict",
    "twin",
    "undrawn",
]
