"""The settings of the network."""

from __future__ import annotations

import math
from dataclasses import dataclass

from seqclf.cells import CELLS
from seqclf.config.checks import (
    require,
    require_choice,
    require_count,
    require_positive,
    require_rate,
)
from seqclf.config.fields import BASIC, DIALS, ELSEWHERE, setting
from seqclf.errors import ConfigError
from seqclf.poolings import POOLINGS

BASELINE_NAMES = ("majority", "tf-idf", "nb-svm")
ACTIVATION_NAMES = TANH, RELU = ("tanh", "relu")
INIT_NAMES = ORTHOGONAL, GLOROT, IDENTITY = ("orthogonal", "glorot", "identity")
LEAST_CHRONO = 3  # for 2 there would be nothing to draw: log 1 is 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """The network. Twins differ in `cell` and in nothing else.

    The help of a field says what it does. Beside it:

    Attributes:
      cell: `none` is the twin that leaves the recurrent step out; `dense` is SimpleRNN
        without its recurrent kernel, h = tanh(W x + b), and as wide: of two directions
        it has one layer of twice the units.
      embedding_range: Small embeddings are learnt faster than Keras's 0.05:
        docs/recipe.md.
      dropout_rate: In [0, 1). It is outside the recurrent layer, where it is the same
        for all cells.
      conv_width: After Zhou et al. 2015 (C-LSTM, arXiv:1511.08630); None has no
        convolution. It has `embedding_size` filters, so that the input of a cell is
        equally wide with and without it, and so are the cell's weights.
      pooling: Padding never counts.
      baseline: With it there is no network, and no other field here has a meaning.
      activation: Of the candidate and, in the LSTM, of the memory where it is shown;
        gates stay sigmoids. With `relu` and an identity SimpleRNN is an IRNN (Le,
        Jaitly & Hinton 2015, arXiv:1504.00941).
      recurrent_init: `orthogonal` and `glorot` are drawn as Keras does, the matrices of
        all gates side by side; `identity` is one identity a gate.
      recurrent_scale: Times the matrix that was drawn.
      forget_bias: Jozefowicz et al. 2015 (PMLR 37:2342); 1 is Keras's. A cell without
        such a gate is left as it is, and so with the next two.
      update_bias: Keras's z keeps the OLD state: the greater, the longer it remembers.
      chrono: Tallec & Ollivier 2018 (arXiv:1804.11188), see `model.dials`.
    """

    cell: str = setting("lstm", f"Recurrent layer: {', '.join(CELLS)}.", BASIC)
    units: int = setting(128, "Hidden units per direction.")
    layers: int = setting(1, "Stacked recurrent layers.")
    bidirectional: bool = setting(True, "Read texts in both directions.")
    embedding_size: int = setting(128, "Embedding dimension.")
    embedding_range: float = setting(
        0.02, "Embeddings are initialised uniformly between plus and minus this."
    )
    dropout_rate: float = setting(
        0.5, "Dropout rate after the embedding and before the output layer."
    )
    conv_width: int | None = setting(
        None,
        "Kernel size of a Conv1D layer before the recurrent layer.",
        None,
        "no convolution",
    )
    pooling: str = setting("max", f"Pooling over time: {', '.join(POOLINGS)}.")
    freeze_embedding: bool = setting(
        False,
        "Keep the embedding that --vectors, --pretrain or --init-from gave.",
        ELSEWHERE,
    )
    baseline: str | None = setting(
        None,
        "Fit a linear model on n-grams instead of a network: "
        f"{', '.join(BASELINE_NAMES)}.",
        BASIC,
        "no baseline",
    )
    activation: str = setting(
        TANH, f"Activation of all cells: {', '.join(ACTIVATION_NAMES)}.", DIALS
    )
    recurrent_init: str = setting(
        ORTHOGONAL, f"Initial recurrent matrices: {', '.join(INIT_NAMES)}.", DIALS
    )
    recurrent_scale: float = setting(
        1.0, "Number that the initial recurrent matrices are multiplied by.", DIALS
    )
    forget_bias: float = setting(
        1.0, "Initial bias of the forget gate; of the LSTM alone.", DIALS
    )
    update_bias: float = setting(
        0.0, "Initial bias of the update gate; of the GRU alone.", DIALS
    )
    chrono: int | None = setting(
        None,
        "Chrono initialisation: gate biases for memories of up to so many tokens; of "
        "the LSTM and the GRU.",
        DIALS,
        "not used",
    )

    def __post_init__(self) -> None:
        require_choice("cell", self.cell, CELLS)
        require_choice("pooling", self.pooling, POOLINGS)
        if self.baseline is not None:
            require_choice("baseline", self.baseline, BASELINE_NAMES)
        for name in ("units", "layers", "embedding_size"):
            require_count(name, getattr(self, name))
        if self.conv_width is not None:
            require_count("conv_width", self.conv_width)
        require_positive("embedding_range", self.embedding_range)
        require_rate("dropout_rate", self.dropout_rate)
        require_choice("activation", self.activation, ACTIVATION_NAMES)
        require_choice("recurrent_init", self.recurrent_init, INIT_NAMES)
        require_positive("recurrent_scale", self.recurrent_scale)
        for name in ("forget_bias", "update_bias"):
            value = getattr(self, name)
            require(math.isfinite(value), name, "a finite number", value)
        self._check_chrono()

    def _check_chrono(self) -> None:
        if self.chrono is None:
            return
        require_count("chrono", self.chrono, LEAST_CHRONO)
        if self.forget_bias != 1.0 or self.update_bias:
            raise ConfigError(
                "--chrono draws the biases that --forget-bias and --update-bias set; "
                "give one or the other."
            )
