"""The settings of the network."""

from __future__ import annotations

from dataclasses import dataclass

from seqclf.cells import CELLS
from seqclf.config.checks import (
    require_choice,
    require_count,
    require_positive,
    require_rate,
)
from seqclf.config.fields import BASIC, ELSEWHERE, setting
from seqclf.poolings import POOLINGS

BASELINE_NAMES = ("majority", "tf-idf", "nb-svm")


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
