"""Answers what waits: all that came while the last batch was answered, at once.

No request waits for others to come, so one alone is answered as fast as can be; under
load batches grow by themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
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

    To be made, asked and closed within one event loop.

    Attributes:
      waiting: Requests without an answer yet whose clients wait.
    """

    def __init__(self, answer: Answer, limits: Limits, at_once: int) -> None:
        """Of several requests, at most `at_once` texts are answered together."""
        self.waiting = 0
        self._answer, self._limits, self._at_once = answer, limits, at_once
        self._queue: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="desk", daemon=True)
        self._thread.start()

    async def ask(self, texts: list[str]) -> Sequence[Any]:
        """Returns the answers to texts, in order.

        Raises:
          RefusedError: If too many wait, or it takes too long.
        """
        if self.waiting >= self._limits.queue:
            raise RefusedError(
                429, f"{self.waiting:,} requests wait already; ask again later.", 1
            )
        asked = _Asked(texts, self._loop.create_future())
        self._queue.put(asked)
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

    def close(self) -> None:
        """Lets the thread end once all who asked before are answered."""
        self._queue.put(None)

    async def closed(self) -> None:
        """Returns when the thread has ended, after `close`."""
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        """Answers batch after batch; runs in the thread."""
        first = self._queue.get()
        while first is not None:
            batch, first = self._taken(first)
            self._answer_all(batch)
            if first is None:
                first = self._queue.get()

    def _taken(self, first: _Asked) -> tuple[list[_Asked], _Asked | None]:
        """Returns the requests of a batch, and one that came and is too many for it."""
        batch, texts = [first], len(first.texts)
        with contextlib.suppress(queue.Empty):
            while True:
                asked = self._queue.get_nowait()
                if asked is None:  # the end, behind this batch
                    self._queue.put(None)
                    break
                if texts + len(asked.texts) > self._at_once:
                    return batch, asked
                batch.append(asked)
                texts += len(asked.texts)
        return batch, None

    def _answer_all(self, batch: list[_Asked]) -> None:
        batch = [asked for asked in batch if not asked.answer.done()]
        if not batch:
            return  # nobody waits any more
        together = [text for asked in batch for text in asked.texts]
        try:
            answers = self._answer(together)
        except Exception as error:  # any: what fails is one request, not the server
            if len(batch) > 1:
                for asked in batch:
                    self._answer_all([asked])
            else:
                self._loop.call_soon_threadsafe(_fail, batch[0].answer, error)
        else:
            self._loop.call_soon_threadsafe(_deliver, batch, answers)


def _deliver(batch: Sequence[_Asked], answers: Sequence[Any]) -> None:
    """Gives each request its part of the answers."""
    start = 0
    for asked in batch:
        end = start + len(asked.texts)
        if not asked.answer.done():
            asked.answer.set_result(answers[start:end])
        start = end


def _fail(answer: asyncio.Future[Sequence[Any]], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # read: or asyncio might log what it says
