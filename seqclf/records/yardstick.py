"""A pre-trained encoder that stands beside the twins, as it was trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedYardstick:
    """One training of a yardstick, its `yardstick.json`.

    Attributes:
      name: Its row.
      source: As it was given: `hf://OWNER/NAME`, or a folder.
      revision: The commit of the Hub; None of a folder.
      digest: SHA-256 of the files of the encoder, 64 hexadecimal digits.
      encoder: Its kind, by transformers' names, such as `roberta`.
      mode: `fine-tune`: all weights were trained; `features`: those of the encoder
        stayed, and a linear model was fitted on what it says of a text.
      seed: Of the training; 0 of features, in which nothing is drawn.
      question: What tells this training from others, as plain values.
      most_pieces: Pieces of a text that it reads, special ones included; the rest is
        cut.
      cut: Test texts that have more.
      chosen: What validation chose, by name: `epoch`, or the linear model's `C`; and
        the `temperature`.
      parameters: All weights, those of the encoder included.
      seconds_per_epoch: Of training; None of features, as `tokens_per_second`.
      seconds_to_best: Of training up to the best epoch, or of reading the training and
        validation texts and fitting on them.
      tokens_per_second: Pieces of training texts; padding does not count.
      milliseconds_per_prediction: Median over single texts that are in pieces already.
      peak_memory_bytes: Of the process that trained.
      versions: Of the packages that matter for the numbers.
    """

    name: str
    source: str
    revision: str | None = None
    digest: str
    encoder: str
    mode: Literal["fine-tune", "features"]
    seed: int
    question: dict[str, object]
    most_pieces: int
    cut: int
    chosen: dict[str, float]
    validation_loss: float
    parameters: int
    seconds_per_epoch: float | None = None
    seconds_to_best: float
    tokens_per_second: float | None = None
    milliseconds_per_prediction: float
    peak_memory_bytes: int
    versions: dict[str, str]
