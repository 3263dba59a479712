"""How long a step and a prediction take, see `training.timing`."""

from __future__ import annotations

from dataclasses import dataclass


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
    of a single text, the median.
    """

    milliseconds_per_step: StepTimes
    tokens_per_second: float
    seconds_per_epoch: float
    milliseconds_per_prediction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedTwin(Timing):
    """A timed twin: kernel, see `kernels.kernel_of`, and weights, all and recurrent."""

    kernel: str
    parameters: int
    recurrent_parameters: int
