"""`SequenceClassifier`: the same network and training as a scikit-learn estimator."""

from __future__ import annotations

import dataclasses
import functools
import gc
import math
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import assert_all_finite, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
)

from seqclf.cells import CELLS
from seqclf.classifier import Classifier, keras_predict
from seqclf.config import (
    LANGUAGE_MODEL,
    DataConfig,
    ModelConfig,
    RunConfig,
    StartConfig,
    TextConfig,
    TrainingConfig,
)
from seqclf.data.dataset import GROUP, TRAIN, VALIDATION, fingerprint
from seqclf.data.groups import group_ids, group_names
from seqclf.data.splits import held_out
from seqclf.errors import (
    ConfigError,
    DataError,
    InputError,
    ParameterError,
    RunError,
    unknown,
)
from seqclf.keywords import DEFAULT_MODELS, fields, in_python, to_config
from seqclf.marker import RUN, is_ours
from seqclf.model.backend import import_keras, many_models
from seqclf.model.build import build_model
from seqclf.model.kernels import use_kernel
from seqclf.model.onnx_graph import onnx_predict
from seqclf.records.dataset import DatasetInfo
from seqclf.records.plain import from_plain, to_plain
from seqclf.records.training import Epoch
from seqclf.runs import Run, files, open_run, writing
from seqclf.start.prepare import settled, start_of
from seqclf.start.start import Start, begin_with
from seqclf.start.texts import FreeTexts, without
from seqclf.storage import strict_json, write_bytes, write_json
from seqclf.system import cores
from seqclf.text.arrays import integers, strings
from seqclf.text.encoding import Examples
from seqclf.text.tokens import BLOCK_ROWS, TokenizedTexts, tokenize
from seqclf.text.vocabulary import Vocabulary, encode
from seqclf.training.checkpoint import Checkpoints
from seqclf.training.fit import fit
from seqclf.training.language_model import language_model
from seqclf.training.trial import checked_onnx

ESTIMATOR_FILE = "estimator.json"  # beside a run's files: parameters and classes
SOURCE = "texts given to fit"
# Types of class labels that JSON has: strings, booleans and numbers.
LABEL_TYPES = re.compile(r"[OU]|[<>|][biuf][1248]")

_DATA, _TEXT = DataConfig(), TextConfig()
_MODEL, _TRAINING, _START = ModelConfig(), TrainingConfig(), StartConfig()


@dataclass(eq=False, repr=False)
class SequenceClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A recurrent text classifier for scikit-learn.

    X is a sequence of texts: a list, a one-dimensional array, a pandas Series. y has
    labels of any kind, strings or integers. `fit` holds out a stratified part for
    validation, which chooses the epoch, and trains in this process. Texts are tokenized
    inside, so no vectorizer is needed before it.

    The parameters are the settings of `seqclf train` by the same names, checked in
    `fit`; see `seqclf.config` for each. Only the seed has scikit-learn's name. A
    parameter that another makes useless, such as `units` without recurrence, is
    accepted, so that a search may vary both.

    Attributes:
      cell: Recurrent layer: `none`, `rnn`, `gru`, `lstm`.
      tokens: What a token is: `word`, `char`, or `subword` (pieces of words, learnt
        from the texts).
      vocabulary_size: Vocabulary size, the most frequent training tokens.
      min_count: Minimum count of a training token; rarer ones become unknown.
      max_length: Maximum tokens per text; longer texts are truncated.
      predict_length: The same of validation and in prediction; None is 2.5 times
        `max_length`.
      keep: What to keep of a truncated text: `head`, `tail`, `both`.
      units: Hidden units per direction.
      layers: Stacked recurrent layers.
      bidirectional: Whether to read texts in both directions.
      embedding_size: Embedding dimension.
      embedding_range: Embedding initialisation range: uniform between plus and minus
        this.
      dropout_rate: Dropout rate after the embedding and before the output layer.
      conv_width: Kernel size of a Conv1D layer before the recurrent layer; None has no
        convolution.
      freeze_embedding: Whether to keep the embedding that `vectors`, `pretrain` or
        `init_from` gave.
      vectors: File of word vectors to begin with; they set `embedding_size`.
      init_from: Run to begin with the embedding and the recurrent weights of.
      pretrain: `svd` makes word vectors of the training texts first, `lm` then also a
        language model.
      pooling: Pooling over time: `last`, `max`, `mean`, `attention`.
      epochs: Maximum epochs; None takes 5 to 20 by the size of the data.
      batch_size: Batch size, in texts; None: 64, but 32 or 16 for few texts.
      batch_tokens: Token budget of a batch, padding included, instead of `batch_size`.
      learning_rate: Peak learning rate.
      warmup_fraction: Fraction of all steps with linear learning-rate warm-up.
      weight_decay: Weight decay of AdamW, on weight matrices only.
      clip_norm: Maximum global norm of the gradient (clipping).
      word_dropout_rate: Word dropout: fraction of training tokens made unknown.
      grow_word_dropout: Whether it grows, from none in the first epoch to all in the
        last.
      label_smoothing: Label smoothing.
      class_weights: Class weights in the loss: `equal`, `balanced`.
      kernel: Implementation of the recurrence: `auto`, `loop`, `cudnn`.
      patience: Early-stopping patience, in epochs.
      validation_fraction: Fraction of the texts held out for validation, stratified.
      random_state: Seed of the hold-out and of the training. An integer gives the
        same predictions each time, bit for bit, on the same machine; None draws one,
        as does a numpy RandomState.
      classes_: After `fit`, the labels, sorted, of the type of y [classes].
      history_: After `fit`, an `Epoch` (`seqclf.records.training`) for each.
    """

    cell: str = _MODEL.cell
    _: KW_ONLY
    tokens: str = _TEXT.tokens
    vocabulary_size: int = _TEXT.vocabulary_size
    min_count: int = _TEXT.min_count
    max_length: int = _TEXT.max_length
    predict_length: int | None = _TEXT.predict_length
    keep: str = _TEXT.keep
    units: int = _MODEL.units
    layers: int = _MODEL.layers
    bidirectional: bool = _MODEL.bidirectional
    embedding_size: int = _MODEL.embedding_size
    embedding_range: float = _MODEL.embedding_range
    dropout_rate: float = _MODEL.dropout_rate
    conv_width: int | None = _MODEL.conv_width
    pooling: str = _MODEL.pooling
    freeze_embedding: bool = _MODEL.freeze_embedding
    vectors: str | None = _START.vectors
    init_from: str | None = _START.init_from
    pretrain: str | None = _START.pretrain
    epochs: int | None = _TRAINING.epochs
    batch_size: int | None = _TRAINING.batch_size
    batch_tokens: int | None = _TRAINING.batch_tokens
    learning_rate: float = _TRAINING.learning_rate
    warmup_fraction: float = _TRAINING.warmup_fraction
    weight_decay: float = _TRAINING.weight_decay
    clip_norm: float = _TRAINING.clip_norm
    word_dropout_rate: float = _TRAINING.word_dropout_rate
    grow_word_dropout: bool = _TRAINING.grow_word_dropout
    label_smoothing: float = _TRAINING.label_smoothing
    class_weights: str = _TRAINING.class_weights
    kernel: str = _TRAINING.kernel
    patience: int = _TRAINING.patience
    validation_fraction: float = _DATA.validation_fraction
    random_state: int | np.random.RandomState | None = None

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:  # noqa: N803 -- sklearn's
        """Trains on texts and their labels, from scratch.

        Args:
          X: Texts, str [n].
          y: Labels [n], at least two of each of at least two classes.
          groups: Which texts belong together, such as by their film, strings or numbers
            [n]: no group is on both sides of the hold-out. One that is missing is a
            group of its own. None has no groups.

        Returns:
          This object.

        Raises:
          InputError: If X has no texts or y no labels, or too few to hold some out, or
            too few groups. It is a ValueError.
          ParameterError: If a parameter is out of range or of another type; the same.
          TrainingError: If the loss diverged.
        """
        config = _config(self.get_params(deep=False))
        texts = _texts(X)
        classes, label_ids = _classes(y)
        of_rows = None if groups is None else _groups(groups)
        check_consistent_length(texts, label_ids, of_rows)
        import_keras()  # first: it sets up the logging that is turned down here
        with many_models():
            trained = _train(texts, label_ids, _names(classes), config, of_rows)
        gc.collect()  # Keras's models refer to themselves; a search makes many of them
        self._trained, self.classes_ = trained, classes
        self.history_ = trained.history
        return self

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """Returns the most probable label of each text, of the dtype of `classes_` [n].

        Raises:
          sklearn.exceptions.NotFittedError: Before `fit`.
          InputError: If X has no texts.
        """
        best = self.predict_proba(X).argmax(axis=1)  # first: it checks the fit
        return self.classes_[best]

    def predict_proba(self, X: Any) -> np.ndarray:  # noqa: N803
        """Returns the probabilities of `classes_`, float32 [n, classes].

        Raises:
          sklearn.exceptions.NotFittedError: Before `fit`.
          InputError: If X has no texts.
        """
        check_is_fitted(self)
        texts, classifier = _texts(X), self._trained.classifier
        # At least one part, so that no texts give an array [0, classes].
        starts = range(0, max(len(texts), 1), BLOCK_ROWS)
        parts = [classifier.predict_proba(texts[i : i + BLOCK_ROWS]) for i in starts]
        return np.concatenate(parts)

    def save(self, path: str | os.PathLike[str], overwrite: bool = False) -> Run:
        """Writes what `load` reads: a run's files, and no pickle.

        Args:
          path: A folder; it is made.
          overwrite: Whether to replace a classifier that was saved there.

        Returns:
          The folder as a run, which `Classifier.open` and `seqclf predict --run` open.

        Raises:
          sklearn.exceptions.NotFittedError: Before `fit`.
          RunError: If the path is taken.
          InputError: If the labels cannot be written as JSON or as lines.
        """
        check_is_fitted(self)
        _refuse_labels(self.classes_)
        target = Path(path)
        _refuse_to_replace(target, overwrite)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".saving-") as made:
            self._write(Path(made) / target.name)
            shutil.rmtree(target, ignore_errors=True)
            (Path(made) / target.name).rename(target)
        return Run(target)

    def _write(self, folder: Path) -> None:
        trained = self._trained
        trained.write(folder)
        parameters = {k: _plain(v) for k, v in self.get_params(deep=False).items()}
        if isinstance(self.random_state, np.random.RandomState):
            parameters |= {"random_state": trained.config.training.seed}
        classes, dtype = self.classes_.tolist(), _type_name(self.classes_)
        saved = _Saved(parameters=parameters, classes=classes, dtype=dtype)
        write_json(folder / ESTIMATOR_FILE, to_plain(saved))
        writing.mark_complete(folder, "fit")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Reads what `save` wrote, or any finished run; its classes are then strings.

        Raises:
          RunError: If there is none, or it is unfinished or damaged.
        """
        run = open_run(Path(path), Path(path).parent)
        trained = _Trained.read(run)
        if (run.path / ESTIMATOR_FILE).exists():
            parameters, classes = _read_saved(run)
        else:
            parameters = _parameters(trained.config)
            classes = np.array(run.labels)
        made = cls(**parameters)
        made._trained, made.classes_ = trained, classes
        made.history_ = trained.history
        return made

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags


PARAMETERS = tuple(field.name for field in dataclasses.fields(SequenceClassifier))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Saved:
    """What `estimator.json` has: parameters, sorted labels and their numpy type."""

    parameters: dict[str, Any]
    classes: list[str | bool | int | float]
    dtype: str


@dataclass
class _Trained:
    """What training made: a run's files as plain values, to be sent and stored.

    `keras` is without the optimizer, `onnx` None if the two do not agree.
    """

    config: RunConfig
    about: DatasetInfo
    vocabulary: str
    keras: bytes
    onnx: bytes | None
    history: list[Epoch]

    @cached_property
    def classifier(self) -> Classifier:
        """The model, opened; as `Classifier.open` opens it."""
        return Classifier(
            logits=onnx_predict(self.onnx) if self.onnx else self._keras_predict(),
            vocabulary=Vocabulary.from_text(self.vocabulary),
            text=self.config.text.reading,
            labels=self.about.labels,
            threads=cores() if self.onnx else 1,
        )

    def _keras_predict(self) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / files.MODEL_FILE
            file.write_bytes(self.keras)
            return keras_predict(file)

    def __getstate__(self) -> dict[str, object]:
        """Returns the fields; an open model cannot be sent to another process."""
        return {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}

    def write(self, folder: Path) -> None:
        """Writes a run's files but `complete`."""
        vocabulary = Vocabulary.from_text(self.vocabulary)
        about = dataclasses.replace(self.about, name=folder.name)
        run = writing.create_run(folder, self.config, about, vocabulary)
        for record in self.history:
            writing.append_epoch(run, record)
        write_bytes(folder / files.MODEL_FILE, self.keras)
        if self.onnx:
            write_bytes(folder / files.ONNX_FILE, self.onnx)

    @classmethod
    def read(cls, run: Run) -> Self:
        """Reads a finished run."""
        return cls(
            config=run.config,
            about=run.dataset,
            vocabulary=run.vocabulary.to_text(),
            keras=run.file(files.MODEL_FILE).read_bytes(),
            onnx=run.file(files.ONNX_FILE).read_bytes() if run.has_onnx else None,
            history=run.history,
        )


def _config(parameters: Mapping[str, object]) -> RunConfig:
    """Returns the config that a run with these parameters has."""
    values = {key: _plain(value) for key, value in parameters.items()}
    seed = values.pop("random_state")
    if seed is None or isinstance(seed, np.random.RandomState):
        seed = int(check_random_state(seed).randint(np.iinfo(np.int32).max))
    try:
        return to_config(values | {"data": SOURCE, "seed": seed, "split_seed": seed})
    except ConfigError as error:
        raise ParameterError(in_python(str(error))) from error


def _parameters(config: RunConfig) -> dict[str, Any]:
    """Returns the parameters that give a run's config."""
    parameters = {
        name: getattr(getattr(config, part), field.name)
        for name, field, _, part in fields()
        if name in PARAMETERS
    }
    return parameters | {"random_state": config.training.seed}


def _plain(value: Any) -> Any:
    """Returns numpy's numbers, as a search hands them out, as Python's."""
    return value.item() if isinstance(value, np.generic) else value


def _texts(X: Any) -> list[str]:  # noqa: N803 -- scikit-learn's name
    """Returns the texts as a list; refuses what is no text."""
    if isinstance(X, str | Mapping) or not isinstance(X, Iterable):
        raise InputError(f"X must be a sequence of texts, got {_short(X)}.")
    shape = getattr(X, "shape", (1,))
    if len(shape) != 1:
        raise InputError(
            f"X must have one dimension, a text a row, got shape {tuple(shape)}; "
            f"name one column, such as X['text'] or X[:, 0]."
        )
    texts = X.to_pylist() if isinstance(X, pa.Array | pa.ChunkedArray) else list(X)
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(
                f"X must hold texts, row {row} (from 0) is {_short(text)}; write '' "
                f"for a missing one."
            )
        if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
            raise InputError(f"X, row {row} (from 0): half a character (a surrogate).")
    return texts


def _short(value: Any) -> str:
    shown = repr(value)
    return f"{shown[:40]}{'…' * (len(shown) > 40)} ({type(value).__name__})"


def _classes(y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Returns the distinct labels, sorted, and each row's index into them."""
    if y is None:
        raise InputError(
            "SequenceClassifier requires y to be passed, but the target y is None."
        )
    _refuse_missing(y)
    labels = column_or_1d(y, warn=True)
    kinds = {type(label).__name__ for label in labels.tolist()}
    if len(kinds) > 1:
        raise InputError(
            f"y mixes {', '.join(sorted(kinds))}; give labels of one type, and none "
            f"that is missing."
        )
    if not len(labels):
        raise InputError("y has no labels.")
    assert_all_finite(labels, input_name="y")
    check_classification_targets(labels)
    classes, label_ids = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise InputError(
            f"a classifier needs at least two classes, y has one class, "
            f"{classes.tolist()[0]!r}."
        )
    return classes, label_ids.astype(np.int32)


def _groups(groups: Any) -> np.ndarray:
    """Returns a number for each row's group, int32 [n], as the command line does."""
    try:
        values = pa.chunked_array([pa.array(groups, from_pandas=True)])
        return group_ids(group_names(values, "groups"))
    except (pa.ArrowException, TypeError, DataError) as error:
        raise InputError(
            f"groups must be all strings or all numbers, one a text, got "
            f"{_short(groups)}."
        ) from error


def _refuse_missing(y: Any) -> None:
    """Refuses None, NaN and the like among objects; numpy makes strings of them."""
    kind = getattr(getattr(y, "dtype", None), "kind", "")
    if not isinstance(y, list | tuple) and kind != "O":
        return
    for row, label in enumerate(y):
        missing = type(label).__name__ in ("NoneType", "NAType", "NaTType")
        if missing or (isinstance(label, float) and math.isnan(label)):
            raise InputError(
                f"y, row {row} (from 0): {label!r} is no label; leave out the texts "
                f"without one, or give them a label of their own."
            )


def _names(classes: np.ndarray) -> tuple[str, ...]:
    return tuple(str(label) for label in classes.tolist())


def _train(
    texts: Sequence[str],
    label_ids: np.ndarray,
    labels: tuple[str, ...],
    config: RunConfig,
    groups: np.ndarray | None,
) -> _Trained:
    seed, fraction = config.data.split_seed, config.data.validation_fraction
    counts = np.bincount(label_ids)
    if counts.min() < 2:
        raise InputError(
            f"y needs two texts of each class; the rarest, "
            f"{labels[int(counts.argmin())]!r}, has 1."
        )
    try:
        out = held_out(label_ids, labels, VALIDATION, fraction, seed, groups)
    except DataError as error:
        raise InputError(str(error)) from error
    left = np.delete(np.arange(len(texts)), out)
    blocks = _tokenized(texts, left, config.text)
    vocabulary = Vocabulary.build(blocks, config.text)
    train = _examples(blocks, label_ids[left], vocabulary, config.text)
    blocks = _tokenized(texts, out, config.text)
    validation = _examples(blocks, label_ids[out], vocabulary, config.text.reading)
    free = functools.partial(_free, texts, left, out, vocabulary, config.text)
    start = None
    if not config.start.is_random:
        start = start_of(config, vocabulary, DEFAULT_MODELS, free)
        config = settled(config, start)
    shape = (config.model, len(vocabulary), len(labels), config.training.seed)
    model = build_model(*shape)
    use_kernel(model, config.training.kernel)
    if start is not None:
        _begin(model, start, config, free)
    history = fit(model, train, validation, config.training)
    splits = {TRAIN: left, VALIDATION: out}
    about = _about(texts, label_ids, labels, splits, groups)
    return _Trained(
        config=config,
        about=about,
        vocabulary=vocabulary.to_text(),
        keras=_keras_file(build_model(*shape), model.get_weights()),
        onnx=checked_onnx(model, config, vocabulary, about)[0],
        history=history.epochs,
    )


def _begin(
    model: Any, start: Start, config: RunConfig, texts: Callable[[], FreeTexts]
) -> None:
    """Gives a model what it knows before it is trained; `texts` are to learn from."""
    begin_with(model, start)
    if config.start.pretrain == LANGUAGE_MODEL and CELLS[config.model.cell].recurs:
        kept = Checkpoints()  # nowhere
        learnt = language_model(config, start, texts(), lambda event: None, kept)
        begin_with(model, learnt)


def _free(
    texts: Sequence[str],
    train: np.ndarray,
    validation: np.ndarray,
    vocabulary: Vocabulary,
    config: TextConfig,
) -> FreeTexts:
    """Returns the texts of train that are not in validation, int [rows] of each."""
    given, hidden = (
        [pa.table({"text": strings([texts[row] for row in rows])})]
        for rows in (train.tolist(), validation.tolist())
    )
    return without(given, hidden, vocabulary, config)


def _tokenized(
    texts: Sequence[str], rows: np.ndarray, config: TextConfig
) -> list[TokenizedTexts]:
    starts = range(0, len(rows), BLOCK_ROWS)
    parts = [rows[start : start + BLOCK_ROWS].tolist() for start in starts]
    return [
        tokenize(strings([texts[row] for row in part]), config.tokens) for part in parts
    ]


def _examples(
    blocks: Sequence[TokenizedTexts],
    label_ids: np.ndarray,
    vocabulary: Vocabulary,
    config: TextConfig,
) -> Examples:
    parts = [
        encode(vocabulary.read(block, config), vocabulary, config) for block in blocks
    ]
    lengths = np.concatenate([np.diff(offsets) for _, offsets in parts])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Examples(np.concatenate([ids for ids, _ in parts]), offsets, label_ids)


def _keras_file(model: Any, weights: Sequence[np.ndarray]) -> bytes:
    """Returns the `.keras` file of a model that was never compiled."""
    model.set_weights(weights)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / files.MODEL_FILE
        model.save(file)
        return file.read_bytes()


def _about(
    texts: Sequence[str],
    label_ids: np.ndarray,
    labels: tuple[str, ...],
    splits: Mapping[str, np.ndarray],
    groups: np.ndarray | None,
) -> DatasetInfo:
    """Returns what `dataset.json` says of texts from Python; `splits` has the rows."""
    table = pa.table({"text": strings(texts), "label": integers(label_ids)})
    if groups is not None:
        table = table.append_column(GROUP, integers(groups))
    return DatasetInfo(
        name="fit",
        source=SOURCE,
        fingerprint=fingerprint({TRAIN: table}, labels),
        labels=labels,
        sizes={name: len(rows) for name, rows in splits.items()},
        label_counts={
            name: tuple(np.bincount(label_ids[rows], minlength=len(labels)).tolist())
            for name, rows in splits.items()
        },
    )


def _refuse_labels(classes: np.ndarray) -> None:
    """Refuses labels that a file could not give back."""
    name = _type_name(classes)
    texts = name != "O" or isinstance(classes[0], str)
    if not (texts and LABEL_TYPES.fullmatch(name)):
        raise InputError(
            f"labels of type {type(classes[0]).__name__} cannot be saved; fit with "
            f"strings or numbers."
        )
    for name in _names(classes):
        if name.splitlines() != [name]:
            raise InputError(f"the label {name!r} cannot be saved: it is not one line.")


def _type_name(classes: np.ndarray) -> str:
    kind = classes.dtype.kind
    return kind if kind in "OU" else classes.dtype.str


def _refuse_to_replace(path: Path, overwrite: bool) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not is_ours(path, RUN) or not (path / ESTIMATOR_FILE).exists():
        raise RunError(f"{path} is there, and no saved classifier; choose another.")
    if not overwrite:
        raise RunError(f"{path} holds a saved classifier; overwrite=True replaces it.")


def _read_saved(run: Run) -> tuple[dict[str, Any], np.ndarray]:
    """Returns parameters and classes of a saved classifier, strictly read."""
    file = run.file(ESTIMATOR_FILE)
    try:
        saved = from_plain(_Saved, strict_json(file.read_text("utf-8")))
        if not LABEL_TYPES.fullmatch(saved.dtype):
            raise ValueError(f"classes of type {saved.dtype}")
        classes = np.array(saved.classes, saved.dtype)
        if _names(classes) != run.labels:
            raise ValueError("its classes are not the labels of the run")
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"{file} is damaged ({error!r}); save it again.") from error
    for name in saved.parameters:
        if name not in PARAMETERS:
            raise RunError(f"in {file}: {unknown('parameter', name, PARAMETERS)}")
    return saved.parameters, classes
