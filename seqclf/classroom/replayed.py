"""Checks of the training itself: its kept states, and epochs that are trained again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seqclf.classroom.agreement import Bounds, compared, same
from seqclf.classroom.case import Case
from seqclf.classroom.states import State
from seqclf.model.keras_file import open_keras
from seqclf.model.scoring import calibrate
from seqclf.records.classroom import Finding
from seqclf.records.training import Epoch
from seqclf.runs import files
from seqclf.training.checkpoint import Standing, variables_of
from seqclf.training.fit import EVALUATION_BATCH_SIZE, train_epoch, validate

# Absolute, of weights as they are drawn:
DRAWN = Bounds(near=1e-5, far=1e-2)
# Relative to how far the epoch moved the weights, see `agreement.distance`:
EPOCH = Bounds(near=1e-4, far=0.1)
# Absolute, of losses and accuracies; a text more or less is a step of the accuracy:
SCORED = Bounds(near=1e-4, far=0.2)
# Absolute, of weights whose last layer was divided by a temperature:
DIVIDED = Bounds(near=1e-3, far=0.1)


def of_first_state(case: Case) -> Iterator[Finding]:
    """Checks that the training began with the weights that its seed draws."""
    drawn = tuple(np.asarray(one) for one in variables_of(case.training.model))
    idle = case.idle
    expected, came = (
        {k: v for k, v in case.named(values).items() if k not in idle}
        for values in (drawn, case.state(0).values)
    )
    yield compared("weights of the seed", expected, came, case.bounds(DRAWN))


def of_losses(case: Case) -> Iterator[Finding]:
    """Checks the history against the states: what they say, and their validation."""
    for finished in range(1, len(case.history) + 1):
        state, told = case.state(finished), case.history[:finished]
        yield same(f"history in state {finished}", told, state.history)
        batches = case.run.proof.batches[:finished]
        yield same(f"batches in state {finished}", batches, state.batches)
        case.load(state)
        loss, accuracy = validate(case.training.model, case.training.validation)
        last = told[-1]
        yield compared(
            f"validation of epoch {finished}",
            _numbers(loss=loss, accuracy=accuracy),
            _numbers(loss=last.validation_loss, accuracy=last.validation_accuracy),
            case.bounds(SCORED),
        )


def of_replay(case: Case) -> Iterator[Finding]:
    """Trains the drawn epochs again, each from the state that it began with."""
    for epoch in case.replayed:
        before, after = case.state(epoch - 1), case.state(epoch)
        case.load(before)
        done = train_epoch(case.training, Standing(epoch=epoch))
        yield same(f"batches of epoch {epoch}", done.batches[0], after.batches[-1])
        yield _of_end(case, epoch, before, after)
        expected, came = map(_trained, (done.history[0], case.history[epoch - 1]))
        what = f"training of epoch {epoch}"
        yield compared(what, expected, came, case.bounds(SCORED))


def _of_end(case: Case, epoch: int, before: State, after: State) -> Finding:
    """Compares the end of a replayed epoch; elsewhere only the weights are."""
    ended = case.named(tuple(np.asarray(v) for v in variables_of(case.training.model)))
    arrays = [ended, case.named(after.values), case.named(before.values)]
    if case.otherwise:
        arrays = [case.weights(one) for one in arrays]
    expected, came, start = arrays
    what = f"end of epoch {epoch}"
    return compared(what, expected, came, case.bounds(EPOCH), start)


def of_model(case: Case) -> Iterator[Finding]:
    """Checks that the model file has the weights of the best epoch, calibrated."""
    case.load(case.state(case.best_epoch))
    model = case.training.model
    temperature = calibrate(model, case.training.validation, EVALUATION_BATCH_SIZE)
    said = case.run.environment.temperature
    yield compared(
        "temperature",
        _numbers(temperature=temperature),
        _numbers(temperature=np.nan if said is None else said),
        case.bounds(DIVIDED),
    )
    opened = open_keras(case.run.file(files.MODEL_FILE))
    weights = [_by_place(one.get_weights()) for one in (model, opened)]
    yield compared(files.MODEL_FILE, weights[0], weights[1], case.bounds(DIVIDED))


def _by_place(weights: list[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"weights {place}": one for place, one in enumerate(weights)}


def _trained(record: Epoch) -> dict[str, np.ndarray]:
    return _numbers(loss=record.loss, accuracy=record.accuracy)


def _numbers(**values: float) -> dict[str, np.ndarray]:
    return {name: np.float64(value) for name, value in values.items()}  # type: ignore[misc]
