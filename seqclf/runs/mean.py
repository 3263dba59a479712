"""Several runs as one classifier: the mean of their probabilities, with equal weights.

It has no directory of its own. Its name is theirs, joined by `+`, wherever a run is
named to predict, to evaluate or to export: `demo-gru-0+demo-nb-svm`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np

from seqclf import config as settings
from seqclf.config import DataConfig, RunConfig, draw_of
from seqclf.data.dataset import TEST, TRAIN, VALIDATION
from seqclf.errors import RunError
from seqclf.records.dataset import DatasetInfo
from seqclf.records.reading import Reading
from seqclf.records.scores import Metrics
from seqclf.runs.hub import fetched
from seqclf.runs.places import open_run
from seqclf.runs.predictions import Predictions
from seqclf.runs.repository import is_on_hub
from seqclf.runs.run import Run

JOIN = "+"
DRAWN = (TRAIN, VALIDATION)  # splits of which each seed may have its own


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of finished runs on one data set; what they share is the first one's.

    Attributes:
      members: Two runs at least, each with scores.
    """

    members: tuple[Run, ...]

    @property
    def path(self) -> Path:
        """What names it as a path; nothing is there."""
        return self.members[0].path.with_name(self.name)

    @property
    def name(self) -> str:
        """The names of its members, joined by `+`."""
        return JOIN.join(member.name for member in self.members)

    @property
    def config(self) -> RunConfig:
        """The question of the first: of all, only `data` is the same."""
        return self.members[0].config

    @property
    def dataset(self) -> DatasetInfo:
        """Name, source, fingerprint, labels and sizes of their data."""
        return self.members[0].dataset

    @property
    def data(self) -> DataConfig:
        """Where their data is, see `Run.data`."""
        return self.members[0].data

    @property
    def reading(self) -> Reading:
        """How their data was read, see `Run.reading`."""
        return self.members[0].reading

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names; the position is the label id."""
        return self.members[0].labels

    @property
    def test_accuracy(self) -> float:
        """Fraction of the test texts that it has right."""
        return float(self.predictions(TEST).right.mean())

    @property
    def validation_loss(self) -> float | None:
        """Log loss on validation, in nats; None if each holds out texts of its own."""
        if not self.has_validation:
            return None
        return float(self.predictions(VALIDATION).losses.mean())

    @property
    def metrics(self) -> Metrics:
        """Scores of `validation`, if it has one, and `test`, of saved predictions."""
        splits = (VALIDATION, TEST) if self.has_validation else (TEST,)
        return {s: self.predictions(s).scores(self.labels) for s in splits}

    @property
    def has_validation(self) -> bool:
        """Whether its members hold out the same texts, of one draw, for validation."""
        return len({draw_of(member.config) for member in self.members}) == 1

    def predictions(self, split: str) -> Predictions:
        """Returns what it says of a split; lengths are of the one that reads most."""
        every = [member.predictions(split) for member in self.members]
        return Predictions(
            every[0].label_ids,
            mean([one.probabilities for one in every]),
            reduce(np.maximum, [one.lengths for one in every]),
            self.thresholds,
        )

    @property
    def thresholds(self) -> np.ndarray | None:
        """The mean of its members' thresholds, see `Run.thresholds`."""
        every = [member.thresholds for member in self.members]
        known = [one for one in every if one is not None]
        return mean(known) if known else None


AnyRun = Run | Mean


def mean(probabilities: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the mean, with equal weights, of probabilities, float32 [n, labels]."""
    return np.asarray(np.mean(probabilities, axis=0, dtype=np.float32))


def members_of(run: AnyRun) -> tuple[Run, ...]:
    """Returns the runs of a mean, or the run alone."""
    return run.members if isinstance(run, Mean) else (run,)


def unit_of(run: AnyRun) -> str:
    """Returns what people call a token of a run; `token` if there are two kinds."""
    kinds = {member.text.tokens for member in members_of(run)}
    return settings.UNITS[kinds.pop()] if len(kinds) == 1 else "token"


def open_any(named: Path, models: Path) -> AnyRun:
    """Opens a finished run, or the mean of several whose names are joined by `+`.

    A run that has a `+` in its own name is taken first. One of the Hub, named
    `hf://OWNER/NAME`, is downloaded, see `runs.hub`.

    Raises:
      RunError: If one is missing or unfinished, has no scores, is named twice, or they
        are of different data.
    """
    names = _names_in(named)
    if len(names) == 1 or any(Run(p).is_finished for p in (named, models / named)):
        return _open_one(named, models)
    members = [_open_one(name, models) for name in names]
    for member in members:
        member.require_scores()
    if len({member.path.resolve() for member in members}) < len(members):
        raise RunError(f"{named} names a run twice; a mean takes each once.")
    refuse_different_data(members)
    if len({member.config.data.fold for member in members}) > 1:
        raise RunError(
            f"{named}: a mean of other folds has no texts to test it on that none of "
            f"them learnt from; name runs of one."
        )
    return Mean(tuple(members))


def _names_in(named: Path) -> list[Path]:
    """Returns the names that `+` joins: of runs in one folder, or with one of the Hub.

    No name on the Hub has a `+`.
    """
    whole = [Path(part or JOIN) for part in named.as_posix().split(JOIN)]
    if any(map(is_on_hub, whole)):
        return whole
    return [named.with_name(part or JOIN) for part in named.name.split(JOIN)]


def _open_one(named: Path, models: Path) -> Run:
    return fetched(named) if is_on_hub(named) else open_run(named, models)


def refuse_different_data(finished: Sequence[Run]) -> None:
    """Refuses runs that were not trained and tested on the same texts.

    What each seed drew to train on may differ, see `are_drawn_anew`.

    Raises:
      RunError: What differs is named.
    """
    first = finished[0]
    drawn = settings.are_drawn_anew(run.config for run in finished)
    for run in finished[1:]:
        different = [
            f"{key}: {one}, {other}"
            for key in ("fingerprint", "labels", "sizes")
            if (one := _told(first, key, drawn)) != (other := _told(run, key, drawn))
        ]
        configs = [first.config, run.config]
        if drawn:
            configs = [settings.undrawn(config) for config in configs]
        settled = settings.differences(*configs)
        different += [line for line in settled if line.startswith("data.")]
        if different:
            raise RunError(
                f"{first.name} and {run.name} cannot be compared or averaged, their "
                f"data differs: {'; '.join(different)}.{_stray(finished)}"
            )


def _stray(finished: Sequence[Run]) -> str:
    """Says which run has not the draw of its seed, where others have."""
    stray = [run for run in finished if not settings.has_own_draw(run.config)]
    if not stray or len(stray) == len(finished):
        return ""
    run = stray[0]
    return (
        f" Several draws go together where each run has that of its seed, as in "
        f"compare --vary split; {run.name} has {run.config.data.resample} with seed "
        f"{run.config.training.seed}."
    )


def _told(run: Run, key: str, drawn: bool) -> object:
    """Returns what is known of a run's data; of sizes only those that no seed draws."""
    found = getattr(run.dataset, key)
    if key == "sizes" and drawn:
        own = {*DRAWN, TEST} if run.config.data.fold else DRAWN
        return {split: n for split, n in found.items() if split not in own}
    return found
