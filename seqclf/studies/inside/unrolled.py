"""The recurrent layer of a finished run, taken out of its model and unrolled.

`gradients` and `gates` measure the trained layer itself: their recomputed states must
agree with the layer's own, or nothing is reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from seqclf import config as settings
from seqclf.cells import CELLS, Inside
from seqclf.comparison.judged import SIGNIFICANCE
from seqclf.config import RunConfig
from seqclf.data.dataset import TEST, VALIDATION
from seqclf.errors import ConfigError, RunError
from seqclf.model.backend import import_keras
from seqclf.model.kernels import recurrent_layers
from seqclf.runs import Run
from seqclf.studies.intervals import middle, p_of_guessing
from seqclf.studies.question import (
    Question,
    grouped,
    learning_soon,
    quick_config,
    textbook,
)
from seqclf.text.batching import pad
from seqclf.text.encoding import Examples
from seqclf.text.tokens import PADDING_ID

MOST_DIFFERENCE = 1e-5
# More than in other studies: with less, gates stay near their initial values.
QUICK_ROWS = 5000
CHUNK = 64  # texts at a time; bounds memory
SAMPLES = 2000  # draws of a bootstrap

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sample:
    """What a measuring process receives: a finished run, and what to measure of it.

    Attributes:
      encoded: Folder of its encoded data.
      rows: Indices of the test texts to measure; `texts` are those to draw.
      batches: Number of training batches to measure.
      threads: That TensorFlow may use.
    """

    run: Path
    encoded: Path
    rows: tuple[int, ...]
    texts: tuple[str, ...] = ()
    batches: int = 0
    threads: int = 1


def plain_network(question: Question, study: str) -> RunConfig:
    """Returns the recipe of a study that looks inside a layer.

    The textbooks' network, without word dropout and with a longer warm-up unless they
    are given: with them SimpleRNN learns nothing worth looking at from texts in which
    order decides (docs/recipe.md). If quick, on at most 5,000 training texts, for 6
    epochs if none are given.

    Raises:
      ConfigError: If a cell is not recurrent, or its steps are not described.
    """
    for cell in question.cells:
        if not CELLS[cell].recurs:
            raise ConfigError(
                f"{study} looks into cells that recur, and {cell} does not; leave it "
                f"out of --cells."
            )
        inside_of(cell)
    config = learning_soon(textbook(question.config), question.given)
    return quick_config(config, QUICK_ROWS) if question.quick else config


def inside_of(cell: str) -> Inside:
    """Returns what happens in a step of a cell.

    Raises:
      ConfigError: If its entry in `cells.CELLS` does not say.
    """
    inside = CELLS[cell].inside
    if inside is None:
        raise ConfigError(
            f"{cell} has no description of its steps (`inside`), so that no study can "
            f"look into it; leave it out of --cells."
        )
    return inside


def shown_of(cell: str) -> tuple[str, ...]:
    """Returns the names of a cell's gates and states, in the order they are drawn."""
    inside = inside_of(cell)
    return inside.gates + inside.states


def held_fixed(question: Question, used: RunConfig) -> tuple[str, ...]:
    """Returns sentences on the network and its differences from what was asked."""
    changed = "; ".join(settings.differences(question.config, used))
    network = "One layer, one direction, the last state read out, as in the textbooks."
    if not changed:
        return (network,)
    return network, f"Changed from what was asked (asked, here): {changed}."


def accuracies(question: Question, runs: Sequence[Run]) -> dict[str, float]:
    """Returns each cell's accuracy on the test split, the mean over seeds."""
    return {
        cell: float(np.mean([run.metrics[TEST].accuracy for run in group]))
        for cell, group in by_cell(question, runs).items()
    }


def guessing(question: Question, runs: Sequence[Run]) -> tuple[str, ...]:
    """Returns the cells of which a training is not surely above always guessing.

    On validation, beside always giving its most frequent label: one-sided p of 0.05 or
    more. What such a model does inside says nothing of how its cell solves the task.
    """
    return tuple(
        cell
        for cell, group in by_cell(question, runs).items()
        if any(_p_of_guessing(run) >= SIGNIFICANCE for run in group)
    )


def _p_of_guessing(run: Run) -> float:
    counts = run.dataset.label_counts[VALIDATION]
    right = {run.config.training.seed: run.predictions(VALIDATION).right}
    return p_of_guessing(right, max(counts) / sum(counts))


def of_accuracies(accuracy: Mapping[str, float]) -> str:
    """Returns a sentence on how well the models do."""
    said = ", ".join(f"{cell} {100 * value:.1f} %" for cell, value in accuracy.items())
    return (
        f"Test accuracy of these models: {said}. A model that hardly beats guessing "
        f"does not show how its cell solves the task."
    )


def spoken_for(question: Question) -> str:
    """Returns what the numbers are about: one model of each cell, or several."""
    seeds = len(question.seeds)
    return "one model of each cell" if seeds == 1 else f"{seeds} seeds of each cell"


def the_layer(model: Any) -> Any:
    """Returns the one recurrent layer of a model."""
    (layer,) = recurrent_layers(model)
    return layer


def layer_inputs(model: Any, token_ids: np.ndarray) -> np.ndarray:
    """Returns the inputs of a model's recurrent layer, float32 [batch, time, d]."""
    keras = import_keras()
    inputs = keras.tree.flatten(the_layer(model).input)  # a mask may follow
    below = keras.Model(model.inputs[0], inputs[0])
    return np.asarray(below(token_ids, training=False))


def states_layer(layer: Any) -> Any:
    """Returns a copy of a built layer that gives the states of all tokens, in float64.

    Gradients may be too small for float32, and rounding errors explode with them.
    """
    made = {**layer.get_config(), "return_sequences": True, "dtype": "float64"}
    copied = type(layer).from_config(made)
    copied.build((None, None, int(layer.cell.kernel.shape[0])))
    copied.set_weights(layer.get_weights())
    return copied


def own_states(layer: Any, inputs: np.ndarray, is_token: np.ndarray) -> np.ndarray:
    """Returns the hidden states of a layer, float64 [batch, time, units].

    Inputs are float32 [batch, time, d], is_token is false on padding, on the right.
    """
    import tensorflow as tf

    mask = tf.constant(is_token)
    return np.asarray(states_layer(layer)(tf.constant(inputs, tf.float64), mask=mask))


def refuse_difference(made: np.ndarray, own: np.ndarray, is_token: np.ndarray) -> float:
    """Returns the largest difference of two [batch, time, units] at a token.

    Raises:
      RunError: If it is more than 1e-5: then the numbers are not those of the layer.
    """
    difference = float(np.abs(made - own)[is_token].max())
    if not difference <= MOST_DIFFERENCE:
        raise RunError(
            f"the layer taken apart differs from the layer itself by {difference:.2g}, "
            f"more than {MOST_DIFFERENCE:g}: nothing can be said of it. Please report "
            f"this with the versions that seqclf doctor names."
        )
    return difference


def chunks(examples: Examples, size: int = CHUNK) -> list[tuple[Any, np.ndarray]]:
    """Returns batches of `size`, each with bool [batch, time], true on tokens."""
    places = np.arange(len(examples))
    starts = range(0, len(examples), size)
    batches = [pad(examples, places[start : start + size]) for start in starts]
    return [(batch, batch.token_ids != PADDING_ID) for batch in batches]


def bootstrap(sums: np.ndarray, counts: np.ndarray, seed: int = 0) -> np.ndarray:
    """Returns the means of k quantities in resampled texts, float [2000, k].

    NaN where a draw has none. Sums and counts are those of each text, float [texts, k].
    """
    n = len(sums)
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), SAMPLES)
    with np.errstate(invalid="ignore"):
        return (draws @ sums) / (draws @ counts)


def bounds(drawn: np.ndarray) -> tuple[float, float] | tuple[None, None]:
    """Returns the middle 95 % of draws; None if one is not finite."""
    return middle(drawn) if np.isfinite(drawn).all() else (None, None)


def pairs(question: Question) -> Sequence[tuple[str, int]]:
    """Returns (cell, seed), in the order of `question.trainings`."""
    return [(cell, seed) for seed in question.seeds for cell in question.cells]


def by_cell(question: Question, values: Sequence[T]) -> dict[str, list[T]]:
    """Groups values in the order of `question.trainings` by cell."""
    cells = (cell for cell, _ in pairs(question))
    return grouped(zip(cells, values, strict=True))
