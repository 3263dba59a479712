"""One config becomes one finished run."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import json
import math
import os
import platform
import shutil
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from seqclf.cells import CELLS
from seqclf.clock import Clock
from seqclf.config import LANGUAGE_MODEL, RunConfig, TextConfig, question
from seqclf.data.dataset import TEST, TRAIN, VALIDATION
from seqclf.errors import ConfigError
from seqclf.marker import RUN, begin
from seqclf.model import backend
from seqclf.model.build import recurrent_parameters
from seqclf.model.kernels import kernel_of
from seqclf.model.onnx_graph import greatest_difference, has_onnx, to_onnx
from seqclf.records import training as records
from seqclf.records.dataset import DatasetInfo
from seqclf.records.plain import to_plain
from seqclf.records.scores import Metrics
from seqclf.records.training import Environment, Report
from seqclf.runs import Run, files, writing
from seqclf.start import Start, begin_with, free_texts, weights_file
from seqclf.storage import write_bytes, write_json, write_whole
from seqclf.system import NODE_VARIABLE, forget_peak, peak_memory, processor
from seqclf.text.encoding import EncodedDataset, open_encoded
from seqclf.text.tokens import rules_to_json
from seqclf.text.vocabulary import Vocabulary
from seqclf.training.answers import answers
from seqclf.training.checkpoint import Checkpoints
from seqclf.training.fit import History, fit
from seqclf.training.language_model import language_model, language_model_file
from seqclf.training.lessons import training_texts
from seqclf.training.network import Network, kind_of, network
from seqclf.training.proof import digest, optimizer_of, proof_of_data, proof_of_weights
from seqclf.training.timing import single_prediction
from seqclf.versions import package_versions

# Of a probability, between Keras and ONNX: some hundred roundings of float32.
MOST_DIFFERENCE = 1e-5
CHECKPOINT_VARIABLE = "SEQCLF_CHECKPOINT_SECONDS"


@dataclass(frozen=True, slots=True)
class Trial:
    """A training to be done.

    Attributes:
      encoded: Folder of the encoded data set.
      about: For the run's `dataset.json`.
      path: Directory of the run.
      command: The command that asks for it: `train`, `compare` or `study`.
      threads: Threads that TensorFlow may use.
      jobs: Trainings that run at the same time, this one included.
      with_first_epoch: Whether the run keeps the model after one epoch, too.
      keep_states: Whether it keeps the states between epochs, see `Checkpoints.keep`.
    """

    config: RunConfig
    encoded: Path
    about: DatasetInfo
    path: Path
    command: str
    threads: int
    jobs: int = 1
    with_first_epoch: bool = False
    keep_states: bool = False

    @property
    def kind(self) -> str | None:
        """What it shares with trainings that one process may do, see `engine.Task`.

        With a language model there is a second network, so each has its own process.
        """
        if self.config.start.pretrain == LANGUAGE_MODEL:
            return None
        return repr((kind_of(self.config), self.encoded, self.threads, self.jobs))


def run_trial(trial: Trial, report: Report) -> None:
    """Trains, evaluates and writes one run, and reports as `fit`; in a subprocess."""
    report(records.Started())
    begin(trial.path, RUN)
    with writing.locked(trial.path):
        _run(trial, report)
    gc.collect()  # a model is a circle of references


def _run(trial: Trial, report: Report) -> None:
    start, clock = time.perf_counter(), Clock()
    forget_peak()  # of another seed, trained in the same process before
    data = open_encoded(trial.encoded)
    config = trial.config
    run = writing.create_run(trial.path, config, trial.about, data.vocabulary)
    with clock.of("importing"):
        backend.set_threads(trial.threads)
    with clock.of("building"):
        net = network(config, len(data.vocabulary), len(data.labels))
    model = net.model
    with clock.of("before training"):
        begun = _begin(trial, model, data, report)
        train, lessons = training_texts(data, config)
    proof = begun.proof | {"lessons": lessons}
    with clock.of("training"):
        history = fit(
            model,
            train,
            data.splits[VALIDATION],
            config.training,
            _keeping(run, net, trial.with_first_epoch, report),
            _keeping_states(trial, _checkpoints(trial, files.CHECKPOINT_FILE, proof)),
        )
    training = to_plain(optimizer_of(model))
    later = {"batches": history.batches, "training": training}
    write_json(run.path / files.PROOF_FILE, proof | later)
    write_whole(run.path / files.MODEL_FILE, net.save)
    with clock.of("predicting"):
        _evaluate(run, model, data)
        measured = _environment(trial, model, history, data)
    with clock.of("exporting"):
        made, difference = checked_onnx(model, config, data.vocabulary, data.about)
    if made is not None:
        write_bytes(run.path / files.ONNX_FILE, made)
    environment = dataclasses.replace(
        measured,
        onnx_difference=difference,
        seconds_before=begun.seconds,
        phases=_phases(clock.seconds, history),
        seconds=time.perf_counter() - start,
    )
    write_json(run.path / files.ENVIRONMENT_FILE, to_plain(environment))
    writing.mark_complete(run.path, trial.command)


@dataclass(frozen=True, slots=True)
class _Begun:
    """What a training has when it begins: its `proof.json` so far, and what it cost."""

    proof: dict[str, Any]
    seconds: float = 0.0


def _begin(trial: Trial, model: Any, data: EncodedDataset, report: Report) -> _Begun:
    """Gives a model what it knows before it is trained, see `StartConfig`."""
    config = trial.config
    start = None
    if not config.start.is_random:
        start = Start.load(weights_file(trial.encoded, config))
        begin_with(model, start)
    proof: dict[str, Any] = {
        "splits": proof_of_data(data),
        "vocabulary": digest(data.vocabulary.to_text().encode()),
        "initial_weights": proof_of_weights(model),
        "start": start.about if start else None,
    }
    if start is None:
        return _Begun(proof)
    recurs = CELLS[config.model.cell].recurs
    if config.start.pretrain != LANGUAGE_MODEL or not recurs:
        return _Begun(proof, start.seconds)
    file = language_model_file(trial.encoded, config)
    if not file.exists():
        checkpoints = _checkpoints(trial, files.PRETRAINING_FILE, proof)
        texts = free_texts(data, config.text)
        language_model(config, start, texts, report, checkpoints).save(file)
    learnt = Start.load(file)
    begin_with(model, learnt)
    return _Begun(proof | {"pretraining": learnt.about}, start.seconds + learnt.seconds)


def _phases(measured: Mapping[str, float], history: History) -> dict[str, float]:
    """Divides what `fit` took; the first epoch also traces the step."""
    epochs = [one.seconds for one in history.epochs]
    # Epochs of before an interruption are not of this process.
    trained = min(sum(epochs), measured["training"])
    tracing = min(max(epochs[0] - statistics.median(epochs), 0.0), trained)
    validating = measured["training"] - trained
    divided = {"tracing": tracing, "training": trained - tracing}
    return {**measured, **divided, "validating": validating}


def _keeping(run: Run, net: Network, with_first_epoch: bool, report: Report) -> Report:
    """Returns what passes events on, and keeps the history they tell."""

    def keep_and_report(event: records.Event) -> None:
        if isinstance(event, records.EpochEnded):
            writing.append_epoch(run, event.record)
            if event.record.epoch == 1 and with_first_epoch:
                write_whole(run.path / files.FIRST_EPOCH_FILE, net.save)
        if isinstance(event, records.Resumed):
            writing.write_history(run, event.history)
        report(event)

    return keep_and_report


def _checkpoints(trial: Trial, name: str, proof: Mapping[str, object]) -> Checkpoints:
    about = _circumstances(trial.config, proof)
    return Checkpoints(trial.path / name, about, _every())


def _keeping_states(trial: Trial, checkpoints: Checkpoints) -> Checkpoints:
    """Returns checkpoints that keep the states between epochs, if they are wanted.

    If not, those of an interrupted training that was to keep them are removed.
    """
    folder = trial.path / files.STATES_FOLDER
    if trial.keep_states:
        return dataclasses.replace(checkpoints, states=folder)
    shutil.rmtree(folder, ignore_errors=True)
    return checkpoints


def _circumstances(config: RunConfig, proof: Mapping[str, object]) -> dict[str, object]:
    """Returns what must be equal for a training to resume to the same numbers."""
    return {
        "question": question(config),
        "proof": proof,
        "versions": package_versions(),
        "processor": processor(),
        "platform": _libraries(),
    }


def _libraries() -> str:
    """Returns what of the platform rounds numbers: another kernel does not."""
    return " ".join((platform.system(), platform.machine(), *platform.libc_ver()))


def _every() -> float:
    """Returns the seconds of work between two checkpoints within an epoch."""
    given = os.environ.get(CHECKPOINT_VARIABLE, "600")
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise ConfigError(
            f"{CHECKPOINT_VARIABLE} must be a number of seconds, got {given!r}."
        )
    return seconds


def checked_onnx(
    model: Any, config: RunConfig, vocabulary: Vocabulary, about: DatasetInfo
) -> tuple[bytes | None, float | None]:
    """Makes the ONNX file of a fitted model, and compares the two.

    Returns:
      The file, None if it does not agree with Keras, and the greatest difference in
      a probability; both None if ONNX has no operator for the cell.
    """
    if not has_onnx(config.model.cell):
        return None, None
    reading = config.text.reading
    metadata = onnx_metadata(reading, vocabulary, about)
    several = about.has_several
    made = to_onnx(model, config.model, metadata, several).SerializeToString()
    difference = greatest_difference(
        model, made, len(vocabulary), reading.max_length, several
    )
    return (made if difference <= MOST_DIFFERENCE else None), difference


def onnx_metadata(
    text: TextConfig, vocabulary: Vocabulary, about: DatasetInfo
) -> dict[str, str]:
    """Returns what an ONNX file says of itself, by key."""
    return {
        "seqclf_version": version("seqclf"),
        "tokenizer": json.dumps(rules_to_json(text), ensure_ascii=False),
        "labels": json.dumps(about.labels, ensure_ascii=False),
        "vocabulary_sha256": hashlib.sha256(vocabulary.to_text().encode()).hexdigest(),
        "fingerprint": about.fingerprint,
    }


def _evaluate(run: Run, model: Any, data: EncodedDataset) -> None:
    """Writes predictions and scores of what the model was not trained on, and more."""
    results: Metrics = {}
    every = answers(model, data, run.config.text)
    for name, predictions in every.items():
        if name != TRAIN:
            writing.write_predictions(run.path, name, predictions)
        results[name] = predictions.scores(data.labels)
    writing.write_thresholds(run, every[VALIDATION].thresholds)
    write_json(run.path / files.METRICS_FILE, to_plain(results))


def _environment(
    trial: Trial, model: Any, history: History, data: EncodedDataset
) -> Environment:
    """Returns what did not change the numbers, but the time and place of them."""
    epochs = history.epochs
    return Environment(
        versions=package_versions(),
        python=platform.python_version(),
        platform=platform.platform(),
        device=next(iter(backend.gpus()), "CPU"),
        processor=processor(),
        node=os.environ.get(NODE_VARIABLE),
        threads=trial.threads,
        jobs=trial.jobs,
        kernel=kernel_of(model),
        parameters=int(model.count_params()),
        recurrent_parameters=recurrent_parameters(trial.config.model),
        best_epoch=history.best_epoch,
        temperature=history.temperature,
        cuts=history.cuts,
        epochs=len(epochs),
        # The median: the first epoch also traces the graph.
        seconds_per_epoch=statistics.median(e.seconds for e in epochs),
        seconds_to_best=history.seconds_to_best,
        tokens_per_second=statistics.median(e.tokens_per_second for e in epochs),
        milliseconds_per_prediction=single_prediction(
            model.predict_on_batch, data.splits[TEST]
        ),
        padding_share=history.padding_share,
        peak_memory_bytes=peak_memory(),
        seconds=0.0,
    )
