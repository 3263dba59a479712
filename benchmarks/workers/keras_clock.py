"""Where the time of a Keras `fit` goes: in its steps, or in waiting for its end."""

from __future__ import annotations

import time
from types import TracebackType

import keras


class Clock:
    """Times a call of `fit`, with the callback that tells of its steps."""

    def __init__(self) -> None:
        """Makes a clock for one call."""
        clock = self

        class Steps(keras.callbacks.Callback):  # type: ignore
            def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
                if batch == 0:
                    clock.first = time.perf_counter()

            def on_train_batch_end(self, batch: int, logs: object = None) -> None:
                clock.last = time.perf_counter()

        self.callback = Steps()

    def __enter__(self) -> Clock:
        self.start = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end = time.perf_counter()

    def seconds(self, reviews: int) -> dict[str, float]:
        """Returns reviews a second over the steps and over all, and the stall.

        The stall is the time from the end of the last step to the end of `fit`, as a
        fraction of the whole.
        """
        return {
            "steady": reviews / (self.last - self.first),
            "whole": reviews / (self.end - self.start),
            "stall": (self.end - self.last) / (self.end - self.start),
        }
