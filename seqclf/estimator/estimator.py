"""`SequenceClassifier`: the same network and training as a scikit-learn estimator."""

from __future__ import annotations

import dataclasses
import gc
import os
import shutil
import tempfile
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from seqclf.config import (
    DataConfig,
    ModelConfig,
    StartConfig,
    TextConfig,
    TrainingConfig,
)
from seqclf.errors import RunError
from seqclf.estimator.fitting import train_on
from seqclf.estimator.inputs import classes_of, groups_of, names_of, texts_of
from seqclf.estimator.parameters import (
    config_of,
    parameters_of,
    plain,
    speaking_of_parameters,
)
from seqclf.estimator.saving import (
    ESTIMATOR_FILE,
    read_saved,
    refuse_labels,
    refuse_to_replace,
    write_saved,
)
from seqclf.estimator.trained import Trained
from seqclf.model.backend import import_keras, many_models
from seqclf.runs import Run, open_run, writing
from seqclf.text.tokens import BLOCK_ROWS

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
      cell: Recurrent layer: `none`, `dense`, `rnn`, `gru`, `lstm`.
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
      activation: Activation of the cell: `tanh`, `relu`.
      recurrent_init: Initial recurrent matrices: `orthogonal`, `glorot`, `identity`.
      recurrent_scale: Number that these are multiplied by.
      forget_bias: Initial bias of the LSTM's forget gate.
      update_bias: Initial bias of the GRU's update gate.
      chrono: Chrono initialisation: gate biases of LSTM and GRU for memories of up to
        so many tokens; None does not.
      epochs: Maximum epochs; None takes 5 to 30 by the size of the data.
      batch_size: Batch size, in texts; None: 64, but 32 or 16 for few texts.
      batch_tokens: Token budget of a batch, padding included, instead of `batch_size`.
      learning_rate: Peak learning rate.
      warmup_fraction: Fraction of all steps with linear learning-rate warm-up.
      weight_decay: Weight decay of AdamW, on weight matrices only.
      clip_norm: Maximum global norm of the gradient (clipping); 0 does not clip.
      optimizer: `adamw`, `adam`, `rmsprop`, `momentum`, `sgd`; the default of
        `learning_rate` suits the first three.
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
    activation: str = _MODEL.activation
    recurrent_init: str = _MODEL.recurrent_init
    recurrent_scale: float = _MODEL.recurrent_scale
    forget_bias: float = _MODEL.forget_bias
    update_bias: float = _MODEL.update_bias
    chrono: int | None = _MODEL.chrono
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
    optimizer: str = _TRAINING.optimizer
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
          ParameterError: If a parameter is out of range or of another type, or a file
            or run that it names cannot be used; the same.
          TrainingError: If the loss diverged.
        """
        config = config_of(self.get_params(deep=False))
        texts = texts_of(X)
        classes, label_ids = classes_of(y)
        of_rows = None if groups is None else groups_of(groups)
        check_consistent_length(texts, label_ids, of_rows)
        import_keras()  # first: it sets up the logging that is turned down here
        with many_models(), speaking_of_parameters():
            trained = train_on(texts, label_ids, names_of(classes), config, of_rows)
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
        texts, classifier = texts_of(X), self._trained.classifier
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
        refuse_labels(self.classes_)
        target = Path(path).absolute()
        refuse_to_replace(target, overwrite)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".saving-") as made:
            self._write(Path(made) / target.name)
            shutil.rmtree(target, ignore_errors=True)
            (Path(made) / target.name).rename(target)
        return Run(target)

    def _write(self, folder: Path) -> None:
        trained = self._trained
        trained.write(folder)
        parameters = {k: plain(v) for k, v in self.get_params(deep=False).items()}
        if isinstance(self.random_state, np.random.RandomState):
            parameters |= {"random_state": trained.config.training.seed}
        write_saved(folder, parameters, self.classes_)
        writing.mark_complete(folder, "fit")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Reads what `save` wrote, or any finished run; its classes are then strings.

        Raises:
          RunError: If there is none, it is unfinished or damaged, linear, or gives a
            text several labels.
        """
        run = open_run(Path(path), Path(path).parent)
        if run.is_linear:
            raise RunError(
                f"{run.path} is a linear model; take seqclf.Classifier.open."
            )
        if run.dataset.has_several:
            raise RunError(
                f"{run.path} gives a text several labels, and SequenceClassifier one; "
                f"take seqclf.Classifier.open."
            )
        trained = Trained.read(run)
        if (run.path / ESTIMATOR_FILE).exists():
            parameters, classes = read_saved(run, PARAMETERS)
        else:
            parameters = parameters_of(trained.config, PARAMETERS)
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
