"""The one stopwatch: how long a step and a prediction take, nothing else running.

Trials of a comparison may share the cores, so their own seconds do not rank the cells.
Here each twin is built again, warmed up, and timed in turns with the others on the
same batches: what slows the machine for a while slows all of them.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.config import RunConfig
from seqclf.data.dataset import TEST
from seqclf.model import backend
from seqclf.model.build import build_model
from seqclf.model.kernels import use_kernel
from seqclf.model.onnx_graph import has_onnx, onnx_predict, to_onnx
from seqclf.model.scoring import Predict
from seqclf.private import train_function
from seqclf.records.training import Report, Started, StepTimes, Timing
from seqclf.text.batching import Batch, num_batches, pad, training_batches
from seqclf.text.encoding import EncodedDataset, Examples, open_encoded
from seqclf.training.fit import as_tf_dataset, compile_model
from seqclf.training.lessons import training_texts

SINGLE_TEXTS, WARM_UP = 50, 5
FEWEST_ROUNDS, ROUNDS = 3, 5  # unless the task says otherwise
# From so many rounds on they end when the twins' shares of a round are within so much.
STEADY = 1.05
# Some seconds of training on two cores: of a round, and of all where they are given.
TOKENS_A_ROUND, TOKENS = 15_000, 150_000
MOST_STEPS, FEWEST_STEPS = 24, 4


@dataclass(frozen=True, slots=True)
class TimingTask:
    """Twins, one config for each kind, to be timed against each other.

    Attributes:
      configs: The twins.
      encoded: Folder of the encoded data set.
      threads: Threads that TensorFlow and ONNX Runtime may use.
      rounds: How many; None: 3 to 5, as steady as they are.
      start: A file whose appearance says that nothing else runs any more; till then
        the twins are built and their steps traced. None: nothing else does.
    """

    configs: tuple[RunConfig, ...]
    encoded: Path
    threads: int
    rounds: int | None = None
    start: Path | None = None


def run_timing(task: TimingTask, report: Report) -> list[Timing]:
    """Times the twins in turns; runs in a subprocess, and reports that it has begun.

    Returns:
      One for each config. Tracing is not counted; single texts, of test, are predicted
      by ONNX Runtime, or by Keras where ONNX has no operator for the cell.
    """
    report(Started())
    backend.set_threads(task.threads)
    data = open_encoded(task.encoded)
    most = task.rounds or ROUNDS
    train, _ = training_texts(data, task.configs[0])
    tokens = TOKENS // task.rounds if task.rounds else TOKENS_A_ROUND
    sessions = [_session(config, data, train, tokens) for config in task.configs]
    while task.start is not None and not task.start.exists():
        time.sleep(0.02)
    # Of test texts, as every training, and a yardstick, times its own.
    test = data.splits[TEST]
    singles = single_predictions([_predictor(one) for one in sessions], test)
    rounds: list[list[float]] = [[] for _ in task.configs]
    for number in range(most):
        if task.rounds is None and number >= FEWEST_ROUNDS and are_steady(rounds):
            break
        for session, durations in zip(sessions, rounds, strict=True):
            durations.append(session.train_once() / session.steps)
    return [
        _result(session, durations, single, train)
        for session, durations, single in zip(sessions, rounds, singles, strict=True)
    ]


def are_steady(rounds: Sequence[Sequence[float]]) -> bool:
    """Tells whether twins, by their seconds in each round, keep their ratios.

    What slows a whole round slows all of them, and is left out.
    """
    logs = np.log(np.array(rounds, float))
    shares = logs - logs.mean(axis=0)
    return bool(np.ptp(shares, axis=1).max() <= np.log(STEADY))


@dataclass(frozen=True, slots=True)
class _Session:
    """One twin, ready to train over the sampled batches again and again."""

    model: Any
    config: RunConfig
    batches: list[Batch]
    labels: int

    @property
    def steps(self) -> int:
        return len(self.batches)

    def train_once(self) -> float:
        """Returns the seconds that all batches take, in a pipeline like that of fit."""
        batches, train = iter(self.pipeline()), train_function(self.model)
        start = time.perf_counter()
        for _ in range(self.steps):
            train(batches)
        return time.perf_counter() - start

    def pipeline(self) -> Any:
        """Returns the batches as `fit` gets them."""
        return as_tf_dataset(iter(self.batches), self.steps, self.labels, None)


def _session(
    config: RunConfig, data: EncodedDataset, train: Examples, tokens: int
) -> _Session:
    model = build_model(
        config.model, len(data.vocabulary), len(data.labels), config.training.seed
    )
    use_kernel(model, config.training.kernel)
    compile_model(model, config.training, steps=1000)
    batches = sample_batches(train, config, tokens)
    session = _Session(model, config, batches, len(data.labels))
    model.fit(session.pipeline(), shuffle=False, verbose=0)  # traces the graph
    return session


def sample_batches(train: Examples, config: RunConfig, tokens: int) -> list[Batch]:
    """Returns batches of the first epoch, evenly from the shortest to the longest.

    Args:
      train: The training texts.
      config: How they are put into batches.
      tokens: About how many tokens, in 4 to 24 batches.
    """
    steps = num_batches(train.lengths, config.training, epoch=1)
    tokens_a_step = train.lengths.sum() / steps
    wanted = int(np.clip(tokens / tokens_a_step, FEWEST_STEPS, MOST_STEPS))
    by_length = sorted(
        training_batches(train, config.training, epoch=1),
        key=lambda batch: batch.token_ids.size,
    )
    wanted = min(wanted, len(by_length))
    # The middle of equal parts, so that the sample is as long as the whole on average.
    places = (np.arange(wanted) + 0.5) * len(by_length) / wanted
    chosen = [by_length[int(place)] for place in places]
    return list(np.random.default_rng(0).permutation(np.array(chosen, object)))


def _result(
    session: _Session, durations: list[float], single: list[float], train: Examples
) -> Timing:
    step = statistics.median(durations)
    tokens = sum(int((batch.token_ids != 0).sum()) for batch in session.batches)
    seconds = step * session.steps / tokens * float(train.lengths.sum())
    return Timing(
        milliseconds_per_step=StepTimes(
            median=1000 * step,
            least=1000 * min(durations),
            most=1000 * max(durations),
            rounds=tuple(1000 * duration for duration in durations),
        ),
        tokens_per_second=tokens / (step * session.steps),
        seconds_per_epoch=seconds,
        milliseconds_per_prediction=statistics.median(single),
        predictions=tuple(single),
    )


def _predictor(session: _Session) -> Predict:
    """Returns what `predict` would use: ONNX Runtime, or Keras where it cannot."""
    if not has_onnx(session.config.model.cell):
        in_keras: Predict = session.model.predict_on_batch
        return in_keras
    made = to_onnx(session.model, session.config.model, {})
    return onnx_predict(made.SerializeToString())


def single_prediction(predict: Predict, examples: Examples) -> float:
    """Returns the median milliseconds to predict one text of `examples`."""
    (durations,) = single_predictions([predict], examples)
    return statistics.median(durations)


def single_predictions(
    predictors: Sequence[Predict], examples: Examples, seed: int = 0
) -> list[list[float]]:
    """Returns the milliseconds to predict single texts, by predictor, by text.

    The predictors take turns text by text. Every twin is timed on the same texts: the
    draw depends on the seed alone. The first few are also predicted before, to warm up.
    """
    size = min(SINGLE_TEXTS, len(examples))
    drawn = np.random.default_rng(seed).choice(len(examples), size, replace=False)
    texts = [pad(examples, drawn[i : i + 1]).token_ids for i in range(size)]
    for text, predict in itertools.product(texts[:WARM_UP], predictors):
        predict(text)
    durations: list[list[float]] = [[] for _ in predictors]
    for text in texts:
        for predict, own in zip(predictors, durations, strict=True):
            start = time.perf_counter()
            predict(text)
            own.append(1000 * (time.perf_counter() - start))
    return durations
