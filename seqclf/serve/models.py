"""The models that are served, by name; a new or changed run is taken up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqclf.classifier import Classifier
from seqclf.errors import ConfigError
from seqclf.explain import Explanation, explain
from seqclf.runs import AnyRun, members_of
from seqclf.runs.comparisons import run_or_default
from seqclf.runs.files import COMPLETE_FILE
from seqclf.runs.repository import is_on_hub
from seqclf.serve.desk import Desk
from seqclf.serve.limits import Limits
from seqclf.serve.refusal import RefusedError

DEFAULT = "default"
LOOK_SECONDS = 2.0  # between looks for new runs

Stamp = tuple[tuple[Path, int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """A model that is open.

    Attributes:
      run: The run, or mean of runs.
      classifier: The same, opened.
      version: 1, and one more each time it was replaced by another of its name.
      stamp: What tells another state of the run's directory from this one.
      answering: Gives probabilities, float32 [texts, labels].
      explaining: Gives an `Explanation` a text.
    """

    run: AnyRun
    classifier: Classifier
    version: int
    stamp: Stamp
    answering: Desk
    explaining: Desk

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.run.name

    async def probabilities(self, texts: list[str]) -> np.ndarray:
        """Returns float32 [texts, labels]; no text does, too.

        Raises:
          RefusedError: As `Desk.ask`.
        """
        if not texts:
            return np.empty((0, len(self.classifier.labels)), np.float32)
        return np.asarray(await self.answering.ask(texts))

    async def explanations(self, texts: list[str]) -> Sequence[Explanation]:
        """Returns an explanation of each text.

        Raises:
          RefusedError: As `Desk.ask`.
        """
        return await self.explaining.ask(texts) if texts else []

    def close(self) -> None:
        """Lets it end once nobody waits for an answer."""
        self.answering.close()
        self.explaining.close()


class Models:
    """The models of a server, in the order in which they were asked for.

    Attributes:
      served: What is served; nothing before `open`.
    """

    def __init__(self, asked: Sequence[Path], folder: Path, limits: Limits) -> None:
        """Takes the runs to serve.

        Args:
          asked: Runs by name, path or `hf://OWNER/NAME`, or means of runs; none is
            the run that `predict` takes, at any time.
          folder: Where runs are looked for.
          limits: Of each model.
        """
        self.served: list[Served] = []
        self._asked: list[Path | None] = [*asked] or [None]
        self._folder, self._limits = folder, limits
        self._work: set[asyncio.Task[None]] = set()

    def find(self, name: str) -> Served:
        """Returns the model of a name; `default` is the first.

        Raises:
          RefusedError: If there is none.
        """
        names = {one.name: one for one in self.served}
        if found := names.get(name, self.served[0] if name == DEFAULT else None):
            return found
        raise RefusedError(
            404, f"there is no model {name!r} here, but {', '.join(names)}."
        )

    async def open(self) -> None:
        """Opens the models.

        Raises:
          RunError: If one is missing or cannot be opened.
          ConfigError: If two have the same name.
        """
        for asked in self._asked:
            run = await asyncio.to_thread(run_or_default, asked, self._folder)
            if any(run.name == one.name for one in self.served):
                raise ConfigError(
                    f"two of the runs are named {run.name}, and a request could not "
                    f"tell them apart; serve one, or rename its folder."
                )
            self.served.append(await self._opened(run, version=1))

    async def watch(self) -> AsyncIterator[Served]:
        """Looks for new and changed runs, for ever; yields those that it took."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for place, asked in enumerate(self._asked):
                if asked is not None and is_on_hub(asked):
                    continue
                # A run that is being replaced is none, or half of one, for a moment.
                with contextlib.suppress(Exception):
                    run = await asyncio.to_thread(run_or_default, asked, self._folder)
                    if stamp_of(run) != self.served[place].stamp:
                        yield await self._replaced(place, run)

    async def close(self) -> None:
        """Ends, once who waits is answered."""
        for one in self.served:
            one.close()
        await asyncio.gather(*self._work)

    async def _replaced(self, place: int, run: AnyRun) -> Served:
        """Puts a run in a place; who asked the one before is answered by that."""
        old = self.served[place]
        version = old.version + 1 if run.name == old.name else 1
        self.served[place] = await self._opened(run, version)
        old.close()
        return self.served[place]

    async def _opened(self, run: AnyRun, version: int) -> Served:
        served = await asyncio.to_thread(_open, run, version, self._limits)
        for desk in (served.answering, served.explaining):
            task = asyncio.create_task(desk.work())
            self._work.add(task)
            task.add_done_callback(self._work.discard)
        return served


def stamp_of(run: AnyRun) -> Stamp:
    """Returns which state a run's directory is in."""
    files = [member.path / COMPLETE_FILE for member in members_of(run)]
    return tuple((f, f.stat().st_mtime_ns, f.stat().st_ino) for f in files)


def _open(run: AnyRun, version: int, limits: Limits) -> Served:
    stamp = stamp_of(run)
    classifier = Classifier.open(run)
    classifier.predict_proba(["to be ready"])

    def explained(texts: list[str]) -> list[Explanation]:
        return [explain(classifier, text) for text in texts]

    return Served(
        run=run,
        classifier=classifier,
        version=version,
        stamp=stamp,
        answering=Desk(classifier.predict_proba, limits, at_once=limits.texts),
        explaining=Desk(explained, limits, at_once=1),
    )
