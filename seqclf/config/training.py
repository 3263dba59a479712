"""The settings of the training."""

from __future__ import annotations

import math
from dataclasses import dataclass

from seqclf.config.checks import (
    require,
    require_choice,
    require_count,
    require_positive,
    require_rate,
)
from seqclf.config.fields import BASIC, DIALS, ELSEWHERE, setting

EQUAL = "equal"
CLASS_WEIGHT_NAMES = (EQUAL, "balanced")
KERNEL_NAMES = ("auto", "loop", "cudnn")
OPTIMIZER_NAMES = ADAMW, ADAM, RMSPROP, MOMENTUM, SGD = (
    "adamw", "adam", "rmsprop", "momentum", "sgd"
)  # fmt: skip
# The peak learning rate of each, unless one is given; see docs/recipe.md.
RATES = {ADAMW: 4e-3, ADAM: 4e-3, RMSPROP: 4e-3, MOMENTUM: 0.4, SGD: 4.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """How the network is trained; one recipe for every cell.

    The help of a field says what it does. Beside it:

    Attributes:
      epochs: None: see `training.recipe`, so that small data sets get more.
      batch_size: None: 64, but 32 and 16 for few texts, see `training.recipe`.
      batch_tokens: Short texts come in larger batches, long ones in smaller. None goes
        by `batch_size`.
      learning_rate: It falls along a cosine to 0 (Loshchilov & Hutter 2017,
        arXiv:1608.03983). An automatic batch size below 64 lowers it. Commands take
        that of the optimizer, `RATES`, if none is given.
      warmup_fraction: In [0, 1).
      weight_decay: Decoupled (Loshchilov & Hutter 2019, arXiv:1711.05101); not of
        biases and embeddings. AdamW alone has it.
      clip_norm: Pascanu et al. 2013 (arXiv:1211.5063); see `training.recipe`.
      optimizer: See `training.optimizer`; `momentum` is SGD with a momentum of 0.9.
      word_dropout_rate: In [0, 1); drawn again each epoch (Iyyer et al. 2015, ACL
        P15-1162).
      grow_word_dropout: SimpleRNN then learns order, see docs/recipe.md.
      label_smoothing: Share in [0, 1) of the target that is spread over all labels
        (Szegedy et al. 2016, arXiv:1512.00567).
      class_weights: `balanced` weights by inverse label frequency.
      kernel: Of all cells: `loop` is TensorFlow's loop, which `auto` takes on a CPU;
        `cudnn` is cuDNN or an error.
      patience: In epochs without a better validation loss. The weights of the best
        epoch are kept either way.
      teach: See `training.lessons`; several runs, joined by `+`, teach their mean.
      taught: A hash of what the teacher said; no option.
    """

    epochs: int | None = setting(
        None, "Maximum number of epochs.", BASIC, "5 to 30, by the size of the data"
    )
    batch_size: int | None = setting(
        None, "Batch size, in texts.", shown="64; 32 or 16 for few texts"
    )
    batch_tokens: int | None = setting(
        None, "Token budget of a batch, padding included, instead of --batch-size."
    )
    learning_rate: float = setting(
        RATES[ADAMW],
        "Peak learning rate (less with smaller automatic batches).",
        shown="0.004, or what suits --optimizer",
    )
    warmup_fraction: float = setting(
        0.1, "Fraction of all steps with linear learning-rate warm-up."
    )
    weight_decay: float = setting(
        0.004, "Weight decay of AdamW, on weight matrices only."
    )
    clip_norm: float = setting(
        1.0,
        "Maximum global norm of the gradient (clipping; less with smaller automatic "
        "batches); 0 does not clip.",
    )
    word_dropout_rate: float = setting(
        0.4, "Word dropout: fraction of training tokens made unknown."
    )
    grow_word_dropout: bool = setting(
        False, "Let word dropout grow, from none in the first epoch to all in the last."
    )
    label_smoothing: float = setting(0.1, "Label smoothing.")
    class_weights: str = setting(EQUAL, "Class weights in the loss: equal, balanced.")
    kernel: str = setting(
        "auto", "Implementation of the recurrence: auto (cuDNN on a GPU), loop, cudnn."
    )
    patience: int = setting(5, "Early-stopping patience, in epochs.")
    seed: int = setting(0, "Random seed: initial weights, batch order, dropout.", BASIC)
    teach: str | None = setting(
        None,
        "Learn from unlabelled texts too, as a finished run labels them: RUN, or a "
        "mean, RUN+RUN.",
        ELSEWHERE,
        "no teacher",
    )
    optimizer: str = setting(ADAMW, f"Optimizer: {', '.join(OPTIMIZER_NAMES)}.", DIALS)
    taught: str | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "batch_tokens"):
            if getattr(self, name) is not None:
                require_count(name, getattr(self, name))
        require_count("patience", self.patience)
        require(0 <= self.seed < 2**31, "seed", "in [0, 2**31)", self.seed)
        require_positive("learning_rate", self.learning_rate)
        for name in ("weight_decay", "clip_norm"):
            value = getattr(self, name)
            require(0 <= value < math.inf, name, "a number of at least 0", value)
        require_choice("optimizer", self.optimizer, OPTIMIZER_NAMES)
        for name in ("warmup_fraction", "word_dropout_rate", "label_smoothing"):
            require_rate(name, getattr(self, name))
        require_choice("class_weights", self.class_weights, CLASS_WEIGHT_NAMES)
        require_choice("kernel", self.kernel, KERNEL_NAMES)
