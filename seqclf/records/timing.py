"""How long a step and a prediction take, see `training.timing`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTimes:
    """Milliseconds of a training step.

    Attributes:
      median: Over the rounds.
      least: Of the fastest round.
      most: Of the slowest.
      rounds: Of each round; every twin has had one after the other.
    """

    median: float
    least: float
    most: float
    rounds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What the timing pass measured of a twin.

    Attributes:
      milliseconds_per_step: Of training.
      tokens_per_second: Of training, from the median step; padding does not count.
      seconds_per_epoch: From the median step.
      milliseconds_per_prediction: Median over single texts.
    """

    milliseconds_per_step: StepTimes
    tokens_per_second: float
    seconds_per_epoch: float
    milliseconds_per_prediction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedTwin(Timing):
    """A timed twin, and what was counted in its built model.

    Attributes:
      kernel: What ran the recurrence, see `kernels.kernel_of`.
      parameters: All weights.
      recurrent_parameters: Those of the recurrent layers.
    """

    kernel: str
    parameters: int
    recurrent_parameters: int
