"""Answers what waits: all that came while the last batch was answered, at once.

No request waits for others to come, so one alone is answered as fast as can be; under
load batches grow by themselves.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from seqclf.serve.limits import Limits
from seqclf.serve.refusal import RefusedError

# From texts to something of each, in order: an array of as many rows, or a list.
Answer = Callable[[list[str]], Any]


@dataclass(frozen=True, slots=True)
class _Asked:
    texts: list[str]
    answer: asyncio.Future[Sequence[Any]]


class Desk:
    """A queue of requests before one thread that answers them.

    To be made and asked within one event loop. Its thread ends when nobody holds the
    desk any more.

    Attributes:
      waiting: Requests without an answer yet whose clients wait.
    """

    def __init__(self, answer: Answer, limits: Limits, at_once: int) -> None:
        """Of several requests, at most `at_once` texts are answered together."""
        self.waiting = 0
        self._answer, self._limits, self._at_once = answer, limits, at_once
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, "desk")
        self._queue: deque[_Asked] = deque()
        self._apart = 0  # of the first in the queue: to be answered one by one
        self._is_idle = True

    async def ask(self, texts: list[str], here: bool = False) -> Sequence[Any]:
        """Returns the answers to texts, in order.

        Where nobody waits, they may be given `here`, which holds the loop up for as
        long as that takes, and saves the way to the thread and back.

        Raises:
          RefusedError: If too many wait, or it takes too long.
        """
        if here and not self.waiting:
            return self._answer(texts)
        if self.waiting >= self._limits.queue:
            raise RefusedError(
                429, f"{self.waiting:,} requests wait already; ask again later.", 1
            )
        asked = _Asked(texts, self._loop.create_future())
        self._queue.append(asked)
        if self._is_idle:
            self._is_idle = False
            self._loop.call_soon(self._next)  # behind others of this turn of the loop
        self.waiting += 1
        try:
            async with asyncio.timeout(self._limits.timeout):
                return await asked.answer
        except TimeoutError:
            raise RefusedError(
                503, f"no answer within {self._limits.timeout:g} s; ask again later.", 1
            ) from None
        finally:
            self.waiting -= 1

    def _next(self) -> None:
        """Has the thread answer the next batch."""
        batch = self._taken()
        if not batch:
            self._is_idle = True
            return
        texts = [text for asked in batch for text in asked.texts]
        answers = self._loop.run_in_executor(self._thread, self._answer, texts)
        answers.add_done_callback(lambda answers: self._answered(batch, answers))

    def _taken(self) -> list[_Asked]:
        """Takes the requests of the next batch; who no longer waits is left out."""
        batch: list[_Asked] = []
        texts = 0
        while self._queue:
            asked = self._queue[0]
            texts += len(asked.texts)
            if batch and (texts > self._at_once or self._apart):
                break
            self._queue.popleft()
            self._apart = max(self._apart - 1, 0)
            if not asked.answer.done():
                batch.append(asked)
        return batch

    def _answered(self, batch: list[_Asked], answers: asyncio.Future[Any]) -> None:
        """Gives each request its part of the answers, and has the next answered."""
        error = answers.exception()
        if error is None:
            start, rows = 0, answers.result()
            for asked in batch:
                end = start + len(asked.texts)
                if not asked.answer.done():
                    asked.answer.set_result(rows[start:end])
                start = end
        elif len(batch) > 1:  # what fails is one request, and not the others
            self._queue.extendleft(reversed(batch))
            self._apart += len(batch)
        elif not batch[0].answer.done():
            batch[0].answer.set_exception(error)
            batch[0].answer.exception()  # read: or asyncio might log what it says
        self._next()
