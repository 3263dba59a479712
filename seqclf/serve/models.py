"""The models that are served, by name; a new or changed run is taken up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqclf.classifier import Classifier
from seqclf.errors import ConfigError, SeqclfError
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

Stamp = tuple[tuple[Path, tuple[int, int] | None], ...]


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

    async def probabilities(self, texts: list[str], here: bool = False) -> np.ndarray:
        """Returns float32 [texts, labels]; no text does, too; `here` is as in `ask`.

        Raises:
          RefusedError: As `Desk.ask`.
        """
        if not texts:
            return np.empty((0, len(self.classifier.labels)), np.float32)
        return np.asarray(await self.answering.ask(texts, here))

    async def explanations(self, texts: list[str], seconds: float) -> list[Explanation]:
        """Returns an explanation of each text, which takes at most so long.

        One text after the other: who asks for one waits for one text of another, and
        who asks for too many holds nobody up.

        Raises:
          RefusedError: As `Desk.ask`, or if it takes longer.
        """
        found: list[Explanation] = []
        try:
            async with asyncio.timeout(seconds):
                for text in texts:
                    found += await self.explaining.ask([text])
        except TimeoutError:
            raise RefusedError(
                503,
                f"{len(found):,} of {len(texts):,} texts were explained within "
                f"{seconds:g} s; ask for fewer at a time.",
            ) from None
        return found

    @property
    def desks(self) -> tuple[Desk, Desk]:
        """Both desks."""
        return self.answering, self.explaining


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
        seen: object = None
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                marks = await asyncio.to_thread(self._marks)
            except OSError:  # a network's disk that is away, for a while
                continue
            if marks == seen:
                continue
            seen = marks
            for place in range(len(self._asked)):
                if taken := await self._looked(place):
                    yield taken

    def _marks(self) -> object:
        """Returns what is another when a run was finished, replaced or removed."""
        own = [m.path / COMPLETE_FILE for s in self.served for m in members_of(s.run)]
        files = {*own, *self._folder.glob(f"*/{COMPLETE_FILE}")}
        return {file: _mark(file) for file in files}

    async def _looked(self, place: int) -> Served | None:
        """Takes the run of a place if it is another; None if it is not, or cannot be.

        A run that is being replaced is none, or half of one, for a moment, and its end
        is another mark. One that cannot be opened is told to the log, once.
        """
        asked = self._asked[place]
        if asked is not None and is_on_hub(asked):
            return None
        try:
            run = await asyncio.to_thread(run_or_default, asked, self._folder)
            if stamp_of(run) == self.served[place].stamp:
                return None
            return await self._replaced(place, run)
        except Exception as error:
            said = f": {error}" if isinstance(error, SeqclfError) else ""
            logging.getLogger("seqclf").warning(
                "no other run is taken up for %s now, %s%s",
                self.served[place].name, type(error).__name__, said,
            )  # fmt: skip
            return None

    async def _replaced(self, place: int, run: AnyRun) -> Served:
        """Puts a run in a place; who asked the one before is answered by that."""
        old = self.served[place]
        version = old.version + 1 if run.name == old.name else 1
        self.served[place] = await self._opened(run, version)
        return self.served[place]

    async def _opened(self, run: AnyRun, version: int) -> Served:
        stamp = stamp_of(run)
        classifier = await asyncio.to_thread(_open, run)

        def explained(texts: list[str]) -> list[Explanation]:
            return [explain(classifier, text) for text in texts]

        answer, most = classifier.predict_proba, self._limits.texts
        return Served(
            run=run,
            classifier=classifier,
            version=version,
            stamp=stamp,
            answering=Desk(answer, self._limits, at_once=most),
            explaining=Desk(explained, self._limits, at_once=1),
        )


def stamp_of(run: AnyRun) -> Stamp:
    """Returns which state a run's directory is in."""
    files = [member.path / COMPLETE_FILE for member in members_of(run)]
    return tuple((file, _mark(file)) for file in files)


def _mark(file: Path) -> tuple[int, int] | None:
    """Returns what is another when a file was written anew; None if it is not there."""
    try:
        about = file.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_ino


def _open(run: AnyRun) -> Classifier:
    classifier = Classifier.open(run)
    classifier.predict_proba(["to be ready"])
    return classifier
