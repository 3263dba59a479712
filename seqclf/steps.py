"""What the workflows share: who listens, where results go, and what is refused."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from seqclf.cells import CELLS
from seqclf.comparison.draws import Draw, DrawOf
from seqclf.config import (
    EQUAL,
    ModelConfig,
    RunConfig,
    StartConfig,
    TextConfig,
    TrainingConfig,
    drawn,
    twin,
)
from seqclf.data.dataset import Dataset
from seqclf.data.hub.load import hide_downloads
from seqclf.data.load import load_dataset, read_once
from seqclf.errors import ConfigError, SeqclfError
from seqclf.evaluation.doubts import doubts
from seqclf.model.backend import gpus
from seqclf.model.dials import refuse_beside_weights, refuse_idle
from seqclf.model.kernels import loop_of_all, refuse_without_gpu
from seqclf.notes import is_numbered
from seqclf.records.training import OnEvent
from seqclf.runs import Run, open_any
from seqclf.start import Start, prepared, weights_file
from seqclf.text.encoding import EncodedDataset, encode_dataset
from seqclf.training import recipe
from seqclf.training.lessons import Lessons, lessons_file, prepared_lessons


class Listener(Protocol):
    """Receives what happens in a workflow."""

    @property
    def quiet(self) -> bool:
        """Whether to be spared the progress of downloads too."""

    def note(self, sentence: str) -> None:
        """Hears what a person may want to know."""

    def insist(self, sentence: str) -> None:
        """Hears what also a person wants to know who asked for quiet."""

    def progress(
        self, costs: Mapping[str, float], jobs: int = 1
    ) -> AbstractContextManager[OnEvent]:
        """Follows trainings, `jobs` at a time, in a context.

        `costs` has their names, with about how long each takes beside the others. The
        context gives what receives the name of a training and its events.
        """


@dataclass(frozen=True, slots=True)
class Target:
    """Where results go.

    Attributes:
      models: Folder of runs and comparisons.
      cache: Folder of encoded data sets.
      name: Name of the result; None makes one from data, cell and seed.
      overwrite: Whether the name may be taken from another result.
      fresh: Whether interrupted trainings restart instead of resuming.
    """

    models: Path
    cache: Path
    name: str | None = None
    overwrite: bool = False
    fresh: bool = False


@contextmanager
def optional(tell: Callable[[str], None], what: str) -> Iterator[None]:
    """Goes on without something that is not the result itself, and says so.

    `tell` receives what is missing if this fails, the sentence `what` without its end,
    and why.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 -- whatever it is, the result stands
        tell(f"{what}: {shortly(error)}")


def shortly(error: Exception) -> str:
    """Returns what an error says, in a line or two."""
    if isinstance(error, SeqclfError):
        return str(error)
    return f"{type(error).__name__}: {error!s:.200}"


def load_and_encode(
    config: RunConfig, cache: Path, listener: Listener | None
) -> EncodedDataset:
    """Loads and encodes the data, and says what the person should know of it.

    Where words are learnt from unlabelled texts, these count in the vocabulary, too.
    """
    if listener is None or listener.quiet:
        hide_downloads()
    return _encoded(load_dataset(config.data), config, cache, listener)


def load_and_draw(
    config: RunConfig,
    cache: Path,
    models: Path,
    listener: Listener,
    folds: int | None = None,
) -> tuple[EncodedDataset, DrawOf]:
    """Loads and encodes the data as above, and returns what draws from it, too.

    Of `folds`, a seed draws which of them is tested on.

    The source is read once, for it may be a pipe. What a seed draws is encoded, with a
    vocabulary of its own, when it is asked for, and kept. Notes are those of the draws;
    what may be wrong with the data is said of the first.
    """
    if listener.quiet:
        hide_downloads()
    divided = read_once(config.data)
    whole = _encoded(divided(config.data), config, cache, None)
    told: set[str] = set()

    @functools.cache
    def draw_of(seed: int) -> Draw:
        own = drawn(twin(config, config.model.cell, seed), folds)
        dataset = divided(own.data)
        _tell(dataset.notes, told, listener)
        data = _encoded(dataset, own, cache, None)
        return Draw(data, with_knowledge(own, data, models, listener))

    return whole, draw_of


def _tell(notes: Sequence[str], told: set[str], listener: Listener) -> None:
    """Notes what is new of a draw; what may be wrong with data, of the first alone."""
    for sentence in notes:
        if sentence not in told and not (told and is_numbered(sentence)):
            listener.note(f"Note: {sentence}")
    told.update(notes)


def _encoded(
    dataset: Dataset, config: RunConfig, cache: Path, listener: Listener | None
) -> EncodedDataset:
    if listener is not None:
        for sentence in dataset.notes:
            listener.note(f"Note: {sentence}")
    weighing = config.training.class_weights
    if dataset.label_sets is not None and weighing != EQUAL:
        raise ConfigError(
            f"--class-weights {weighing} is for one label a text, and {dataset.source} "
            f"gives a text several: leave it out."
        )
    is_wide = bool(config.start.pretrain or config.training.teach)
    return encode_dataset(dataset, config.data, config.text, cache, is_wide)


def with_knowledge(
    config: RunConfig, data: EncodedDataset, models: Path, listener: Listener
) -> RunConfig:
    """Makes ready what the networks know from elsewhere, and says what it is.

    That is weights to begin with, and what a teacher says of unlabelled texts.

    Returns:
      The config, settled: its embedding is as wide as the vectors are, and it has the
      digests of what files and runs gave.
    """
    if not config.start.is_random:
        config = prepared(config, data, models)
        start = Start.load(weights_file(data.path, config))
        listener.note(f"Begins with {start.about}.")
    if config.training.teach is not None:
        teacher = open_any(Path(config.training.teach), models)
        config = prepared_lessons(config, data, teacher)
        lessons = Lessons.load(lessons_file(data.path, config))
        listener.note(f"Learns also from {lessons.about}.")
    return config


def kernel_of_choice(
    config: RunConfig, require_cudnn: bool, listener: Listener
) -> RunConfig:
    """Applies --require-cudnn, and refuses it at once where there is no cuDNN.

    Raises:
      ConfigError: If cuDNN is required and TensorFlow sees no GPU or cuDNN lacks the
        activation, or if another kernel is asked for as well.
    """
    kernel, why = config.training.kernel, loop_of_all(config.model.activation)
    if require_cudnn and kernel == "loop":
        raise ConfigError("--require-cudnn and --kernel loop exclude each other.")
    is_required = require_cudnn or kernel == "cudnn"
    if why and is_required:
        option = "--require-cudnn" if require_cudnn else "--kernel cudnn"
        raise ConfigError(f"{why}; leave {option} out.")
    if not is_required:
        if why and kernel == "auto" and gpus():
            listener.note(f"Note: {why}.")
        return config
    refuse_without_gpu()
    training = dataclasses.replace(config.training, kernel="cudnn")
    return dataclasses.replace(config, training=training)


def checked(
    config: RunConfig,
    cells: tuple[str, ...],
    target: Target,
    given: Collection[str] = (),
) -> RunConfig:
    """Refuses settings as below, and returns the recipe with what suits its optimizer.

    See `training.recipe.of_optimizer`.
    """
    refuse_idle_settings(config, cells, target, given)
    training = recipe.of_optimizer(config.training, given)
    return dataclasses.replace(config, training=training)


def refuse_idle_settings(
    config: RunConfig,
    cells: tuple[str, ...],
    target: Target,
    given: Collection[str] = (),
) -> None:
    """Refuses settings that would change nothing.

    `cells` are those that are trained; `given` are fields of model and training that
    the user gave: even at their default they were meant to do something.

    Raises:
      ConfigError: Names the setting.
    """
    refuse_idle_overwrite(target)
    if config.model.baseline is not None:
        _refuse_beside_baseline(config, given)
        return
    chosen = _not_default(config.model) | _not_default(config.training) | {*given}
    if config.training.batch_tokens and "batch_size" in chosen:
        raise ConfigError(
            "--batch-size and --batch-tokens both say how large a batch is; give one."
        )
    if config.training.grow_word_dropout and not config.training.word_dropout_rate:
        raise ConfigError(
            "--grow-word-dropout does nothing at --word-dropout-rate 0; leave one out."
        )
    _refuse_idle_start(config, chosen)
    _refuse_beside_cells(cells, chosen)
    refuse_idle(chosen, cells)


def _refuse_beside_cells(cells: Sequence[str], chosen: Collection[str]) -> None:
    """Refuses settings of what none of the cells has: a layer, or recurrence."""
    idle = []
    if not any(CELLS[cell].has_layer for cell in cells):
        idle += ["units", "layers", "bidirectional"]
    if not any(CELLS[cell].recurs for cell in cells):
        idle += ["kernel"]
    for field in idle:
        if field in chosen:
            raise ConfigError(
                f"{field} does nothing without recurrence: the cell is {cells[0]}."
            )


def _refuse_idle_start(config: RunConfig, chosen: Collection[str]) -> None:
    """Refuses what has no meaning with, or without, weights to begin with."""
    if config.model.freeze_embedding and config.start.is_random:
        raise ConfigError(
            "--freeze-embedding keeps what --vectors, --pretrain or --init-from gave; "
            "give one of them."
        )
    if config.start.init_from:
        refuse_beside_weights(chosen, "--init-from")
    has_width = config.start.vectors or config.start.init_from
    if has_width and "embedding_size" in chosen:
        raise ConfigError(
            f"--embedding-size does nothing here: it is that of {has_width}."
        )


def _refuse_beside_baseline(config: RunConfig, given: Collection[str]) -> None:
    """Refuses settings of a network, which a linear model has not."""
    parts = (config.text, config.model, config.training, config.start)
    chosen = {*given}.union(*(_not_default(part) for part in parts)) - {"baseline"}
    if "cell" in chosen:
        raise ConfigError("--cell and --baseline exclude each other; give one.")
    if chosen:
        raise ConfigError(
            f"{min(chosen)} does nothing for {config.model.baseline}, a linear model "
            f"that counts the words of whole texts."
        )


def _not_default(
    part: ModelConfig | TrainingConfig | TextConfig | StartConfig,
) -> set[str]:
    fields = dataclasses.fields(part)
    return {one.name for one in fields if getattr(part, one.name) != one.default}


def refuse_idle_overwrite(target: Target) -> None:
    """Raises ConfigError if there is no name whose result could be replaced."""
    if target.overwrite and target.name is None:
        raise ConfigError("--overwrite replaces what stands under --name; give one.")


def tell_doubts(finished: Sequence[Run], listener: Listener) -> None:
    """Notes what is doubtful about finished runs, such as too few epochs."""
    with optional(listener.insist, "What may be doubtful about it could not be told"):
        for sentence in doubts(finished):
            listener.note(f"Note: {sentence}")
