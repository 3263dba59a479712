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

    To be used within one event loop: `ask` for answers, `work` as a task beside.

    Attributes:
      waiting: Requests without an answer yet whose clients wait.
    """

    def __init__(self, answer: Answer, limits: Limits, at_once: int) -> None:
        """Of several requests, at most `at_once` texts are answered together."""
        self.waiting = 0
        self._queue: deque[_Asked] = deque()
        self._answer, self._limits, self._at_once = answer, limits, at_once
        self._came = asyncio.Event()
        self._is_closed = False

    async def ask(self, texts: list[str]) -> Sequence[Any]:
        """Returns the answers to texts, in order.

        Raises:
          RefusedError: If too many wait, or it takes too long.
        """
        if self.waiting >= self._limits.queue:
            raise RefusedError(
                429, f"{self.waiting:,} requests wait already; ask again later.", 1
            )
        asked = _Asked(texts, asyncio.get_running_loop().create_future())
        self._queue.append(asked)
        self._came.set()
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

    async def work(self) -> None:
        """Answers requests until the desk is closed and nobody waits."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "answers") as thread:
            while True:
                if batch := self._taken():
                    await self._answer_all(batch, loop, thread)
                elif self._is_closed:
                    return
                else:
                    self._came.clear()
                    await self._came.wait()

    def close(self) -> None:
        """Lets `work` end once nobody waits any more."""
        self._is_closed = True
        self._came.set()

    def _taken(self) -> list[_Asked]:
        """Takes the requests of the next batch; who no longer waits is left out."""
        batch: list[_Asked] = []
        texts = 0
        while self._queue:
            asked = self._queue[0]
            if batch and texts + len(asked.texts) > self._at_once:
                break
            self._queue.popleft()
            if not asked.answer.done():
                batch.append(asked)
                texts += len(asked.texts)
        return batch

    async def _answer_all(
        self,
        batch: list[_Asked],
        loop: asyncio.AbstractEventLoop,
        thread: ThreadPoolExecutor,
    ) -> None:
        together = [text for asked in batch for text in asked.texts]
        try:
            answers = await loop.run_in_executor(thread, self._answer, together)
        except Exception as error:  # any: what fails is one request, not the server
            if len(batch) == 1:
                if not batch[0].answer.done():
                    batch[0].answer.set_exception(error)
                    # Read: should nobody await it, asyncio would log what it says.
                    batch[0].answer.exception()
                return
            for asked in batch:
                await self._answer_all([asked], loop, thread)
            return
        start = 0
        for asked in batch:
            end = start + len(asked.texts)
            if not asked.answer.done():
                asked.answer.set_result(answers[start:end])
            start = end
