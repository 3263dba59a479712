"""What a training writes besides the model, what it reports, and how long it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """An epoch of a training, from 1, a line of `history.jsonl`.

    Losses are in nats. Those of training are means while the weights change and with
    dropout, those of validation are taken after the epoch, without. Seconds and tokens
    per second are of training alone; padding does not count. Where a text may have
    several labels, accuracy in training counts labels, in validation whole texts.
    """

    epoch: int
    loss: float
    accuracy: float
    seconds: float
    tokens_per_second: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where and how a training ran, `environment.json`; it did not change the scores.

    Attributes:
      versions: Of the packages that matter for the numbers.
      platform: Operating system and architecture.
      device: The GPU, or `CPU`.
      processor: See `system.processor`; None of runs before 0.2.0.
      node: The machine, if it was another one than that of the command; it is left out
        of what is pushed.
      threads: Threads that TensorFlow might use.
      jobs: Trainings that ran at the same time, this one included.
      kernel: What ran the recurrence, see `kernels.kernel_of`.
      parameters: All weights; `recurrent_parameters` are those of the cell.
      best_epoch: The epoch of the least validation loss, from 1.
      temperature: What the logits were divided by so that validation's probabilities
        fit best; None of runs before 0.2.0, whose probabilities are as trained.
      cuts: Times the training was interrupted and resumed.
      seconds_before: What it took to make what the network began with: vectors of
        texts, and a language model.
      seconds_per_epoch: Median, as `tokens_per_second`.
      seconds_to_best: Training time up to the end of the best epoch.
      milliseconds_per_prediction: Median over single texts.
      padding_share: Fraction of the positions in the first epoch that held padding.
      peak_memory_bytes: Of the process meanwhile.
      onnx_difference: Greatest difference in a probability between Keras and ONNX; None
        if ONNX has no operator for the cell.
      seconds: All of it, from data to saved run.
      phases: Where they went, by name: to import, to build and to trace the network
        (about; a process does that once), to make what it begins with, to train, to
        validate and keep checkpoints, to predict what scores are of, to export. Of runs
        before 0.2.0 nothing.
    """

    versions: dict[str, str]
    python: str
    platform: str
    device: str
    threads: int
    kernel: str
    parameters: int
    recurrent_parameters: int
    best_epoch: int
    epochs: int
    seconds_per_epoch: float
    seconds_to_best: float
    tokens_per_second: float
    milliseconds_per_prediction: float
    padding_share: float
    peak_memory_bytes: int
    seconds: float
    jobs: int = 1
    onnx_difference: float | None = None
    temperature: float | None = None
    cuts: int = 0
    seconds_before: float = 0.0
    processor: str | None = None
    node: str | None = None
    phases: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTimes:
    """Milliseconds of a training step: the median, fastest and slowest round, and all.

    Every twin has had a round, one after the other.
    """

    median: float
    least: float
    most: float
    rounds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What the timing pass measured of a twin.

    Times of training are from the median step, and padding is no token; a prediction is
    of a single text, the median of `predictions`, which are of the same texts for every
    twin, in turns.
    """

    milliseconds_per_step: StepTimes
    tokens_per_second: float
    seconds_per_epoch: float
    milliseconds_per_prediction: float
    predictions: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedTwin(Timing):
    """A timed twin: kernel, see `kernels.kernel_of`, and weights, all and recurrent."""

    kernel: str
    parameters: int
    recurrent_parameters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineEnvironment:
    """Where and how a baseline was fitted, its `environment.json`.

    What validation chose, by name, and the seconds of fitting and predicting.
    """

    versions: dict[str, str]
    chosen: dict[str, object]
    seconds: float
    peak_memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The learning-rate schedule, by Keras's names."""

    alpha: float
    decay_steps: int
    initial_learning_rate: float | None
    warmup_steps: int
    warmup_target: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimizer:
    """The optimizer and its schedule, by Keras's names; None is what it has not."""

    optimizer: str
    weight_decay: float | None
    global_clipnorm: float | None
    schedule: Schedule
    beta_1: float | None = None
    beta_2: float | None = None
    epsilon: float | None = None
    momentum: float | None = None
    rho: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What twins must have in common, `proof.json`; see `training.proof`.

    Hashes of each split's token ids and labels, the vocabulary, each initial weight
    outside the recurrent layers, by name and shape, and of each epoch's batches; and,
    in words, what weights all twins began with, None if they were drawn, how each was
    pre-trained, and what a teacher taught, None without.
    """

    splits: dict[str, str]
    vocabulary: str
    initial_weights: dict[str, str]
    batches: tuple[str, ...]
    training: Optimizer
    start: str | None = None
    pretraining: str | None = None
    lessons: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """What says that a folder is whole, its file `complete`.

    Attributes:
      command: The command that asked for it last: `train`, `compare`, `study`, …
      time: When, in ISO 8601.
      files: Checksums by file; None in files of a version that made none.
    """

    command: str
    time: str
    files: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A process has begun its work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """A training resumes in an epoch, from 1, of which so many steps are done."""

    epoch: int
    step: int
    history: tuple[Epoch, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """A training step is done, both from 1; reported several times a second.

    Loss and accuracy are those of training, in this epoch so far; padding is no token.
    There are at most `epochs`, and `steps` in this one. Pre-training has no accuracy.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float | None
    tokens_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainingEnded:
    """An epoch of pre-training is over: its loss, in nats, and what all took so far."""

    epoch: int
    epochs: int
    loss: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochEnded:
    """An epoch is over: its record, and how many there are at most."""

    epochs: int
    record: Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A process has done its work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A process has failed, and why."""

    error: str


Event = Started | Resumed | Stepped | PretrainingEnded | EpochEnded | Finished | Failed
Report = Callable[[Event], None]  # receives the progress of a process
OnEvent = Callable[[str, Event], None]  # receives which training, and what
