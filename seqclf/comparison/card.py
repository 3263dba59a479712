"""The twin card: what is equal in all runs, what shows it, and what differs."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

from seqclf import config as settings
from seqclf.cells import CELLS
from seqclf.comparison.draws import FOLDS, SEED, vary_of
from seqclf.data.dataset import TEST
from seqclf.model.dials import turned, with_dial
from seqclf.records.training import Optimizer
from seqclf.records.twins import Check, TwinCard
from seqclf.runs import Run
from seqclf.training.proof import digest
from seqclf.wording import joined

OF_CELL, OF_SEED = "model.cell", "training.seed"
OF_DRAW = frozenset(("data.resample", "data.fold", "start.digest"))
# What may depend on a check: the scores; how they round, and so each training by
# itself, but no cell more than another; the times.
SCORES, BITS, TIMES = "scores", "bits", "times"
CHOSEN = 0  # in place of a number that the comparison chose for each cell
DRAWN = "division and training texts, by seed (each drew its own)"
INITIAL_WEIGHTS = "initial weights outside the cell, by seed and shape"


def twin_card(finished: Sequence[Run], chosen: Collection[str] = ()) -> TwinCard:
    """Returns what all runs share and in what they differ.

    Args:
      finished: Runs on the same data.
      chosen: Settings that the comparison itself chose for each cell; they may differ.
    """
    first, vary = finished[0], vary_of(finished)
    different = {
        line.split(":")[0]
        for run in finished
        for line in settings.differences(first.config, run.config)
    }
    own = settings.flat(settings.to_dict(first.config))
    return TwinCard(
        equal={name: own[name] for name in own if name not in different},
        different=tuple(sorted(different)),
        chosen=tuple(sorted(chosen)),
        dataset=first.dataset,
        checks=_checks(finished, chosen, vary),
        vary=vary,
    )


def disagreements(card: TwinCard) -> list[str]:
    """Returns why runs are no twins: settings and checks that differ but must not."""
    allowed = {OF_CELL, OF_SEED, *card.chosen}
    if card.vary != SEED:  # checked seed by seed
        allowed |= OF_DRAW
    names = [name for name in card.different if name not in allowed]
    broken = [
        check.what
        for check in card.checks
        if not check.equal and check.concerns == SCORES
    ]
    # A setting that differs explains what it changes.
    return names or broken


def _checks(
    finished: Sequence[Run], chosen: Collection[str], vary: str
) -> tuple[Check, ...]:
    """Returns all checks; what follows from the texts by seed, where these vary.

    That is: equal in all cells of a seed.
    """
    drawn = vary != SEED
    recurring = [run for run in finished if CELLS[run.config.model.cell].recurs]

    def optimizer(run: Run) -> Optimizer:
        return _training(run.proof.training, chosen)

    def stopping(run: Run) -> tuple[int | None, int]:
        training = run.config.training
        epochs = CHOSEN if "training.epochs" in chosen else training.epochs
        return epochs, training.patience

    def libraries(run: Run) -> list[str]:
        return [run.environment.versions[name] for name in ("keras", "tensorflow")]

    return (
        _check("data", finished, lambda run: run.dataset.fingerprint),
        *(_of_draws(finished, vary) if drawn else _of_division(finished)),
        _check_by_seed("batches and their order, by seed", finished, _batches),
        *_from_elsewhere(finished, recurring, drawn),
        # By name and shape: a weight of another shape is another weight.
        _check_by_seed(INITIAL_WEIGHTS, finished, lambda r: r.proof.initial_weights),
        *_of_dials(finished),
        _check("optimizer and schedule", finished, optimizer, _shown_training,
               by_seed=drawn),
        _check("stopping rule", finished, stopping, _shown_stopping),
        _check("keras and tensorflow", finished, libraries, ", ".join),
        *_of_machines(finished),
        _check("kernel of the recurrence", recurring, lambda r: r.environment.kernel,
               concerns=TIMES),
        _check("threads in training", finished, lambda r: r.environment.threads,
               concerns=TIMES),
    )  # fmt: skip


def _of_machines(finished: Sequence[Run]) -> Iterator[Check]:
    """Yields what decides how numbers are rounded, beside the libraries, if known."""
    if all(run.environment.processor is not None for run in finished):
        said = ", ".join
        yield _check("processor and platform", finished, _machine, said, concerns=BITS)


def _machine(run: Run) -> list[str]:
    """Returns processor and platform of a run, without the release of the kernel."""
    environment = run.environment
    platform = re.sub(r"^Linux-.*-(\w+-with-.+)$", r"Linux-\1", environment.platform)
    return [environment.processor or "", platform]


def _of_dials(finished: Sequence[Run]) -> Iterator[Check]:
    """Yields the dials that are turned, and on which cells alone they act."""
    cells = list(dict.fromkeys(run.config.model.cell for run in finished))
    layered = [cell for cell in cells if CELLS[cell].has_layer]
    for dial in dict.fromkeys(d for run in finished for d in turned(run.config.model)):
        if acts := with_dial(dial, cells):
            of = "" if acts == layered else f", of {joined(acts)} alone"
            runs = [run for run in finished if run.config.model.cell in acts]
            what = f"{dial.replace('_', ' ')}{of}"
            yield _check(what, runs, attrgetter(f"config.model.{dial}"))


def _of_division(finished: Sequence[Run]) -> Iterator[Check]:
    yield _check("division", finished, lambda run: run.proof.splits, _joined)
    yield _check("vocabulary", finished, lambda run: run.proof.vocabulary)


def _of_draws(finished: Sequence[Run], vary: str) -> Iterator[Check]:
    """Yields what is equal in all cells of a seed, and that the test split is in all.

    Its token ids are not, for each draw has a vocabulary of its own. Of folds each has
    its own test texts, too.
    """

    def test_labels(run: Run) -> str:
        return digest(run.predictions(TEST).label_ids)

    def vocabulary(run: Run) -> str:
        return run.proof.vocabulary

    yield _check(DRAWN, finished, lambda run: run.proof.splits, _joined, by_seed=True)
    yield _check("vocabulary, by seed", finished, vocabulary, by_seed=True)
    tested, of_folds = "labels of the test texts, in their order", vary == FOLDS
    tested += ", by seed" if of_folds else ""
    yield _check(tested, finished, test_labels, by_seed=of_folds)


def _from_elsewhere(
    finished: Sequence[Run], recurring: Sequence[Run], drawn: bool
) -> Iterator[Check]:
    """Yields what shows that twins know the same from elsewhere, if they know anything.

    Of a language model they share procedure and budget, and not the weights that each
    cell comes to.
    """
    for what, runs, name in (
        ("weights to begin with", finished, "start"),
        ("procedure of each cell's pre-training", recurring, "pretraining"),
        ("lessons of a teacher", finished, "lessons"),
    ):
        if any(getattr(run.proof, name) for run in runs):
            said = [getattr(run.proof, name) or "none" for run in runs]
            of_run = dict(zip(runs, said, strict=True)).__getitem__
            yield _check(what, runs, of_run, by_seed=drawn)


def _check(
    what: str,
    runs: Sequence[Run],
    value_of: Callable[[Run], Any],
    show: Callable[[Any], str] = str,
    concerns: str = SCORES,
    by_seed: bool = False,
) -> Check:
    """Compares runs with the first of all, or with the first of their seed."""
    first: dict[int, Any] = {}
    differing = []
    for run in runs:
        value, seed = value_of(run), _seed(run) if by_seed else 0
        if value != first.setdefault(seed, value):
            differing.append(run.name)
    shown = {seed: show(value) for seed, value in sorted(first.items())}
    said = next(iter(shown.values()), "no cell recurs")
    if len(set(shown.values())) > 1:
        said = "; ".join(f"seed {seed}: {value}" for seed, value in shown.items())
    return Check(
        what=what,
        value=said,
        equal=not differing,
        differing=tuple(differing),
        concerns=concerns,
    )


def _seed(run: Run) -> int:
    return run.config.training.seed


def _check_by_seed(
    what: str, finished: Sequence[Run], parts_of: Callable[[Run], Mapping[str, str]]
) -> Check:
    """Compares, among runs of one seed, those parts that several of them have."""
    seen: dict[int, dict[str, str]] = {}
    differing = []
    for run in finished:
        parts = parts_of(run)
        known = seen.setdefault(_seed(run), {})
        if any(known.get(name, value) != value for name, value in parts.items()):
            differing.append(run.name)
        seen[_seed(run)] = {**parts, **known}
    shown = [
        f"seed {seed}: {digest(''.join(sorted(parts.values())).encode())}"
        for seed, parts in sorted(seen.items())
    ]
    return Check(
        what=what,
        value=", ".join(shown),
        equal=not differing,
        differing=tuple(differing),
        concerns=SCORES,
    )


def _batches(run: Run) -> dict[str, str]:
    return {str(epoch): value for epoch, value in enumerate(run.proof.batches, 1)}


def _training(training: Optimizer, chosen: Collection[str]) -> Optimizer:
    """Returns optimizer and schedule, without what of them was chosen."""
    schedule = training.schedule
    if "training.learning_rate" in chosen:
        schedule = replace(schedule, initial_learning_rate=None, warmup_target=None)
    if "training.epochs" in chosen:
        schedule = replace(schedule, warmup_steps=CHOSEN, decay_steps=CHOSEN)
    if "training.clip_norm" in chosen:
        training = replace(training, global_clipnorm=CHOSEN)
    return replace(training, schedule=schedule)


def _shown_training(optimizer: Optimizer) -> str:
    schedule, clip_norm = optimizer.schedule, optimizer.global_clipnorm
    peak = schedule.warmup_target or schedule.initial_learning_rate
    to = f" to {peak:g}" if peak else ""
    course = f"{schedule.warmup_steps:,} steps{to}, then a cosine of "
    course += f"{schedule.decay_steps:,} to 0"
    if schedule.decay_steps == CHOSEN:
        course = "steps that rise, then a cosine to 0"
    clipped = f"; clipped at {clip_norm:g}" if clip_norm else ""  # else CHOSEN
    clipped = "; not clipped" if clip_norm is None else clipped
    name, momentum = optimizer.optimizer, optimizer.momentum
    name += f" with momentum {momentum:g}" if momentum else ""
    return f"{name}, {course}{clipped}"


def _shown_stopping(values: tuple[int | None, int]) -> str:
    epochs, patience = values
    most = "by the size of the data" if epochs is None else f"{epochs} epochs"
    if epochs == CHOSEN:
        most = "as many as were chosen"
    return f"least validation loss; {patience} epochs without it, or {most}"


def _joined(parts: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parts.items())
