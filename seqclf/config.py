"""Every setting that changes numbers, in five frozen dataclasses.

Defaults are here and nowhere else: the command line takes its defaults and its help
from these fields. The default recipe was chosen on validation data only, see
docs/recipe.md.
"""

from __future__ import annotations

import codecs
import dataclasses
import math
import numbers
import operator
import types
import typing
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from seqclf.cells import CELLS
from seqclf.errors import ConfigError, unknown
from seqclf.poolings import POOLINGS

KEEP_NAMES = ("head", "tail", "both")
WORD, CHAR, SUBWORD = TOKENS_NAMES = ("word", "char", "subword")
FURTHER = 2.5  # times as far as in training texts are read outside it
CLASS_WEIGHT_NAMES = ("equal", "balanced")
DELIMITER_NAMES = {"tab": "\t", "\\t": "\t"}
KERNEL_NAMES = ("auto", "loop", "cudnn")
BASELINE_NAMES = ("majority", "tf-idf", "nb-svm")
PRETRAIN_NAMES = WORD_VECTORS, LANGUAGE_MODEL = ("svd", "lm")

# Fields of DataConfig that say where the data is and how its rows are read. The content
# is compared by fingerprint, so they do not count when two questions are compared.
SOURCE_FIELDS = frozenset(
    ("source", "revision", "subset", "text_column", "label_column", "encoding",
     "delimiter", "header", "columns", "drop_unlabeled", "merge_labels",
     "min_per_label", "other")
)  # fmt: skip

# Settings of what a network knows from elsewhere; studies have nothing of it.
START_FIELDS = ("vectors", "init_from", "pretrain", "freeze_embedding", "teach")
# What names a file or a run: its content counts, by a digest.
NAMES_OF_CONTENT = frozenset(("vectors", "init_from", "teach"))

# Settings that older files do not name, with the value that leaves everything as it was
# then. With it they are no part of `question`, so that such files still ask the same.
LATER_FIELDS = {
    "group_column": None, "tokens": WORD, "conv_width": None, "baseline": None,
    "freeze_embedding": False, "grow_word_dropout": False, "taught": None,
    "pretrain": None, "digest": None,
}  # fmt: skip

Setting = str | int | float | bool | None
Settings = dict[str, dict[str, Setting]]  # by part of the config and name

_Config = TypeVar("_Config")

# Panels of the help for settings that are not in the panel of their part.
BASIC, FILES, LABELS = "Options", "Reading files", "Labels and splits"
ELSEWHERE = "Knowledge from elsewhere"
HELP = "help"  # where a field's metadata has its Help


class Help(NamedTuple):
    """The help of a setting: `panel` None is that of its part, `shown` the default."""

    text: str
    panel: str | None
    shown: str | None


def _setting(
    default: Any, text: str, panel: str | None = None, shown: str | None = None
) -> Any:
    return field(default=default, metadata={HELP: Help(text, panel, shown)})


def _require(holds: bool, name: str, expected: str, given: object) -> None:
    if not holds:
        raise ConfigError(f"{name} must be {expected}, got {given!r}.")


def _require_choice(name: str, value: str, choices: Collection[str]) -> None:
    if value not in choices:
        raise ConfigError(unknown(name, value, choices))


def require_count(name: str, value: Any, least: int = 1) -> None:
    """Raises ConfigError unless a value is a whole number of at least `least`."""
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    expected = f"a whole number of at least {least}"
    _require(is_whole and operator.index(value) >= least, name, expected, value)


def _require_rate(name: str, value: float) -> None:
    _require(0 <= value < 1, name, "a fraction in [0, 1)", value)


def require_encoding(name: str) -> None:
    """Raises ConfigError unless Python knows an encoding of that name."""
    try:
        codecs.lookup(name)
    except LookupError:
        raise ConfigError(
            f"encoding must be a name that Python knows, such as utf-8, cp1252, "
            f"latin-1 or utf-16, got {name!r}."
        ) from None


def _require_delimiter(value: str) -> None:
    is_one = len(value) == 1 and value not in '"\r\n\\'
    expected = "one character, such as ';', or tab"
    _require(is_one or value in DELIMITER_NAMES, "delimiter", expected, value)


def _require_positive(name: str, value: float) -> None:
    _require(value > 0 and math.isfinite(value), name, "a positive number", value)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """Which texts, and how they are divided.

    The help of a field says what it does. Beside it:

    Attributes:
      source: Like the other fields of `SOURCE_FIELDS`, it does not change numbers: two
        sources of equal content are equal.
      revision: None takes the newest.
      subset: None takes its only one.
      text_column: None finds one by its name, as does `label_column`.
      encoding: By a name that Python knows.
      merge_labels: The spelling that is most frequent in train is kept.
      min_per_label: Their rows are dropped too; None keeps all. The source's own train
        counts, before any split is made here.
      limit: None uses all rows.
      group_column: No group is on both sides of a hold-out; a row without a value is a
        group of its own. None: every row is. Splits of the source stay as they are.
      validation_fraction: In (0, 1), stratified, as is `test_fraction`. A tenth is
        common practice.
      split_seed: Not the training seed, so that all seeds of a comparison share one
        split.
    """

    source: str = _setting(
        "demo",
        "Data set: demo, imdb and others (seqclf data list), OWNER/NAME on the Hugging "
        "Face Hub, a file, a folder, '*.csv', or - for standard input.",
        BASIC,
    )
    revision: str | None = _setting(None, "Commit, branch or tag of a Hub data set.")
    subset: str | None = _setting(None, "Subset (configuration) of a Hub data set.")
    text_column: str | None = _setting(
        None, "Text column, or several to join: title,content."
    )
    label_column: str | None = _setting(None, "Label column.")
    encoding: str | None = _setting(
        None,
        "Character encoding of text files.",
        FILES,
        "by byte order mark, else utf-8",
    )
    delimiter: str | None = _setting(
        None, "Delimiter of CSV files: one character, or tab.", FILES, "detected"
    )
    header: bool | None = _setting(
        None,
        "Whether the first line of a CSV file names the columns.",
        FILES,
        "detected",
    )
    columns: str | None = _setting(
        None, "Column names of CSV files without a header: label,title,text.", FILES
    )
    drop_unlabeled: bool = _setting(
        False,
        "Drop rows whose label is empty or a missing-value marker such as nan.",
        LABELS,
    )
    merge_labels: bool = _setting(
        False,
        "Merge labels that differ only in case, whitespace or Unicode form.",
        LABELS,
    )
    min_per_label: int | None = _setting(
        None, "Drop classes with fewer than N training texts.", LABELS
    )
    other: bool = _setting(
        False, "Merge these rare classes into one called other instead.", LABELS
    )
    limit: int | None = _setting(None, "Train on a stratified sample of N rows.")
    group_column: str | None = _setting(
        None,
        "Column whose equal values stay on one side of a split: film, author, patient.",
        LABELS,
    )
    validation_fraction: float = _setting(
        0.1,
        "Fraction of train held out for validation, if there is no such split.",
        LABELS,
    )
    test_fraction: float = _setting(
        0.2, "Fraction of train held out for test, if there is no such split.", LABELS
    )
    split_seed: int = _setting(0, "Random seed of these splits and of --limit.", LABELS)
    drop_duplicates: bool = _setting(
        False, "Remove training texts that also occur in validation or test.", LABELS
    )

    def __post_init__(self) -> None:
        if self.limit is not None:
            require_count("limit", self.limit)
        if self.min_per_label is not None:
            require_count("min_per_label", self.min_per_label, least=2)
        elif self.other:
            raise ConfigError(
                "--other says what becomes of the labels that --min-per-label finds "
                "too rare; give both, such as --min-per-label 2 --other."
            )
        for name in ("validation_fraction", "test_fraction"):
            value = getattr(self, name)
            _require(0 < value < 1, name, "a fraction in (0, 1)", value)
        require_count("split_seed", self.split_seed, least=0)
        if self.encoding is not None:
            require_encoding(self.encoding)
        if self.delimiter is not None:
            _require_delimiter(self.delimiter)
        if self.columns is not None and self.header is not None:
            raise ConfigError(
                "--columns names the columns of a file without a header; leave "
                "--header and --no-header out."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TextConfig:
    """How texts become token ids.

    The help of a field says what it does. Beside it:

    Attributes:
      tokens: `char` and `subword` split the words of `word`, see `text.tokens`.
      vocabulary_size: 30,000 as in Johnson & Zhang 2016 (arXiv:1602.02373).
      max_length: 400 keeps 4 of 5 IMDB reviews whole.
      predict_length: None is two and a half times `max_length`; what is read of
        validation and test, and in prediction (docs/recipe.md).
      keep: `both` keeps equal parts of head and tail: the verdict of a long review is
        often at its end.
    """

    tokens: str = _setting(
        WORD,
        "What a token is: word, char, or subword (pieces of words, learnt from train; "
        "try --vocabulary-size 4000).",
    )
    vocabulary_size: int = _setting(
        30_000, "Vocabulary size: the most frequent training tokens."
    )
    min_count: int = _setting(
        2, "Minimum count of a training token; rarer ones become unknown."
    )
    max_length: int = _setting(
        400, "Maximum tokens per text; longer texts are truncated."
    )
    predict_length: int | None = _setting(
        None,
        "Maximum tokens per text outside training; at least --max-length.",
        shown="2.5 times --max-length",
    )
    keep: str = _setting("both", "What to keep of a truncated text: head, tail, both.")

    def __post_init__(self) -> None:
        _require_choice("tokens", self.tokens, TOKENS_NAMES)
        for name in ("vocabulary_size", "min_count", "max_length"):
            require_count(name, getattr(self, name))
        if self.predict_length is not None:
            require_count("predict_length", self.predict_length, self.max_length)
        _require_choice("keep", self.keep, KEEP_NAMES)

    @property
    def reading(self) -> TextConfig:
        """How texts are read outside training."""
        most = self.predict_length or round(FURTHER * self.max_length)
        return dataclasses.replace(self, max_length=most, predict_length=most)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """The network. Twins differ in `cell` and in nothing else.

    The help of a field says what it does. Beside it:

    Attributes:
      cell: `none` is the twin that leaves the recurrent step out.
      embedding_range: Small embeddings are learnt faster than Keras's 0.05:
        docs/recipe.md.
      dropout_rate: In [0, 1). It is outside the recurrent layer, where it is the same
        for all cells.
      conv_width: After Zhou et al. 2015 (C-LSTM, arXiv:1511.08630); None has no
        convolution. It has `embedding_size` filters, so that the input of a cell is
        equally wide with and without it, and so are the cell's weights.
      pooling: Padding never counts.
      baseline: With it there is no network, and no other field here has a meaning.
    """

    cell: str = _setting("lstm", f"Recurrent layer: {', '.join(CELLS)}.", BASIC)
    units: int = _setting(128, "Hidden units per direction.")
    layers: int = _setting(1, "Stacked recurrent layers.")
    bidirectional: bool = _setting(True, "Read texts in both directions.")
    embedding_size: int = _setting(128, "Embedding dimension.")
    embedding_range: float = _setting(
        0.02, "Embeddings are initialised uniformly between plus and minus this."
    )
    dropout_rate: float = _setting(
        0.5, "Dropout rate after the embedding and before the output layer."
    )
    conv_width: int | None = _setting(
        None,
        "Kernel size of a Conv1D layer before the recurrent layer.",
        None,
        "no convolution",
    )
    pooling: str = _setting("max", f"Pooling over time: {', '.join(POOLINGS)}.")
    freeze_embedding: bool = _setting(
        False,
        "Keep the embedding that --vectors, --pretrain or --init-from gave.",
        ELSEWHERE,
    )
    baseline: str | None = _setting(
        None,
        "Fit a linear model on n-grams instead of a network: "
        f"{', '.join(BASELINE_NAMES)}.",
        BASIC,
        "no baseline",
    )

    def __post_init__(self) -> None:
        _require_choice("cell", self.cell, CELLS)
        _require_choice("pooling", self.pooling, POOLINGS)
        if self.baseline is not None:
            _require_choice("baseline", self.baseline, BASELINE_NAMES)
        for name in ("units", "layers", "embedding_size"):
            require_count(name, getattr(self, name))
        if self.conv_width is not None:
            require_count("conv_width", self.conv_width)
        _require_positive("embedding_range", self.embedding_range)
        _require_rate("dropout_rate", self.dropout_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """How the network is trained; one recipe for every cell.

    The help of a field says what it does. Beside it:

    Attributes:
      epochs: None: see `training.recipe`, so that small data sets get more.
      batch_size: None: 64, but 32 and 16 for few texts, see `training.recipe`.
      batch_tokens: Short texts come in larger batches, long ones in smaller. None goes
        by `batch_size`.
      learning_rate: It falls along a cosine to 0 (Loshchilov & Hutter 2017,
        arXiv:1608.03983). An automatic batch size below 64 lowers it.
      warmup_fraction: In [0, 1).
      weight_decay: Decoupled (Loshchilov & Hutter 2019, arXiv:1711.05101); not of
        biases and embeddings.
      clip_norm: Pascanu et al. 2013 (arXiv:1211.5063).
      word_dropout_rate: In [0, 1); drawn again each epoch (Iyyer et al. 2015, ACL
        P15-1162).
      grow_word_dropout: SimpleRNN then learns order, see docs/recipe.md.
      label_smoothing: Share in [0, 1) of the target that is spread over all labels
        (Szegedy et al. 2016, arXiv:1512.00567).
      class_weights: `balanced` weights by inverse label frequency.
      kernel: Of all cells: `loop` is TensorFlow's loop, which `auto` takes on a CPU;
        `cudnn` is cuDNN or an error.
      patience: In epochs without a better validation loss. The weights of the best
        epoch are kept either way.
      teach: See `training.lessons`; several runs, joined by `+`, teach their mean.
      taught: A hash of what the teacher said; no option.
    """

    epochs: int | None = _setting(
        None, "Maximum number of epochs.", BASIC, "5 to 30, by the size of the data"
    )
    batch_size: int | None = _setting(
        None, "Batch size, in texts.", shown="64; 32 or 16 for few texts"
    )
    batch_tokens: int | None = _setting(
        None, "Token budget of a batch, padding included, instead of --batch-size."
    )
    learning_rate: float = _setting(4e-3, "Peak learning rate.")
    warmup_fraction: float = _setting(
        0.1, "Fraction of all steps with linear learning-rate warm-up."
    )
    weight_decay: float = _setting(
        0.004, "Weight decay of AdamW, on weight matrices only."
    )
    clip_norm: float = _setting(1.0, "Maximum global norm of the gradient (clipping).")
    word_dropout_rate: float = _setting(
        0.4, "Word dropout: fraction of training tokens made unknown."
    )
    grow_word_dropout: bool = _setting(
        False, "Let word dropout grow, from none in the first epoch to all in the last."
    )
    label_smoothing: float = _setting(0.1, "Label smoothing.")
    class_weights: str = _setting(
        "equal", "Class weights in the loss: equal, balanced."
    )
    kernel: str = _setting(
        "auto", "Implementation of the recurrence: auto (cuDNN on a GPU), loop, cudnn."
    )
    patience: int = _setting(5, "Early-stopping patience, in epochs.")
    seed: int = _setting(
        0, "Random seed: initial weights, batch order, dropout.", BASIC
    )
    teach: str | None = _setting(
        None,
        "Learn from unlabelled texts too, as a finished run labels them: RUN, or a "
        "mean, RUN+RUN.",
        ELSEWHERE,
        "no teacher",
    )
    taught: str | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "batch_tokens"):
            if getattr(self, name) is not None:
                require_count(name, getattr(self, name))
        require_count("patience", self.patience)
        _require(0 <= self.seed < 2**31, "seed", "in [0, 2**31)", self.seed)
        for name in ("learning_rate", "clip_norm"):
            _require_positive(name, getattr(self, name))
        decay = self.weight_decay
        holds = 0 <= decay < math.inf
        _require(holds, "weight_decay", "a number of at least 0", decay)
        for name in ("warmup_fraction", "word_dropout_rate", "label_smoothing"):
            _require_rate(name, getattr(self, name))
        _require_choice("class_weights", self.class_weights, CLASS_WEIGHT_NAMES)
        _require_choice("kernel", self.kernel, KERNEL_NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartConfig:
    """What a network knows before it is trained; the same for all twins.

    The help of a field says what it does. Beside it:

    Attributes:
      vectors: The embedding is as wide as they are.
      pretrain: See `start.cooccurrence` and `training.language_model`; the vectors are
        the same for all twins, and what the language model makes of them is not.
      digest: A hash of the weights that the file or the run gave; no option.
    """

    vectors: str | None = _setting(
        None,
        "Begin with word vectors: a text file (GloVe, word2vec, fastText; also .gz), "
        "or OWNER/NAME/FILE on the Hub.",
        None,
        "random",
    )
    init_from: str | None = _setting(
        None,
        "Begin with the embedding and, for the same cell, the recurrent weights of a "
        "run.",
        None,
        "random",
    )
    pretrain: str | None = _setting(
        None,
        "Learn from train and unlabelled texts first: svd, word vectors in seconds; "
        "lm, then also a language model with the cell itself.",
        None,
        "no pre-training",
    )
    digest: str | None = None

    def __post_init__(self) -> None:
        if self.pretrain is not None:
            _require_choice("pretrain", self.pretrain, PRETRAIN_NAMES)
        names = [one.name for one in dataclasses.fields(self) if one.name != "digest"]
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) > 1:
            options = " and ".join(f"--{name.replace('_', '-')}" for name in given)
            raise ConfigError(f"{options} exclude each other; give one.")

    @property
    def is_random(self) -> bool:
        """Whether all weights are drawn."""
        return self == StartConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """The whole question that a run answers."""

    data: DataConfig = field(default_factory=DataConfig)
    text: TextConfig = field(default_factory=TextConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    start: StartConfig = field(default_factory=StartConfig)

    def __post_init__(self) -> None:
        is_pretrained = self.start.pretrain == LANGUAGE_MODEL
        if is_pretrained and self.model.conv_width is not None:
            raise ConfigError(
                "--pretrain lm and --conv-width exclude each other: through a "
                "convolution a place sees the token that it is to tell."
            )


def twin(config: RunConfig, cell: str, seed: int | None = None) -> RunConfig:
    """Returns the config that differs in its cell (and, if given, its seed) only."""
    training = config.training
    if seed is not None:
        training = dataclasses.replace(training, seed=seed)
    return dataclasses.replace(
        config, model=dataclasses.replace(config.model, cell=cell), training=training
    )


def linear(config: RunConfig, baseline: str) -> RunConfig:
    """Returns the config of a linear model on the same data.

    It has no network and no epochs, and reads texts whole.
    """
    return RunConfig(data=config.data, model=ModelConfig(baseline=baseline))


def to_dict(config: RunConfig) -> Settings:
    """Returns the config as plain values, ready for JSON."""
    return dataclasses.asdict(config)


def from_dict(values: Mapping[str, object]) -> RunConfig:
    """Reads what `to_dict` wrote, strictly.

    Raises:
      ConfigError: On a key that no setting has, or a value of another type.
    """
    return _build(RunConfig, values, "config")


def of_run(values: Mapping[str, object]) -> RunConfig:
    """Reads a run's config, strictly, of whatever version.

    Before 0.2.0 texts were read in prediction as far as in training.
    """
    text = values.get("text")
    if isinstance(text, Mapping):
        text = {"predict_length": text.get("max_length"), **text}
        values = {**values, "text": text}
    return from_dict(values)


def same_question(a: RunConfig, b: RunConfig) -> bool:
    """Tells whether two configs give the same numbers on the same data.

    Where the data is does not count: content is compared by fingerprint.
    """
    return not differences(a, b)


def differences(a: RunConfig, b: RunConfig) -> list[str]:
    """Lists the settings in which two configs differ, such as `model.units: 64, 128`.

    Where the data is, `SOURCE_FIELDS`, is left out.
    """
    left, right = flat(_divided(a)), flat(_divided(b))
    return [f"{k}: {left[k]}, {right[k]}" for k in left if left[k] != right[k]]


def flat(values: Settings) -> dict[str, Setting]:
    """Returns settings by part and name, such as `model.units`."""
    return {
        f"{part}.{key}": value
        for part, settings in values.items()
        for key, value in settings.items()
    }


def question(config: RunConfig) -> Settings:
    """Returns plain values that are equal for configs of the same question.

    That is `to_dict` without the fields that say where something is, `as_before`, and
    without parts in which nothing is left.
    """
    kept = {part: as_before(values) for part, values in _divided(config).items()}
    return {part: values for part, values in kept.items() if values}


def as_before(values: Mapping[str, Setting]) -> dict[str, Setting]:
    """Returns settings without those of later versions that change nothing.

    These are `LATER_FIELDS`, and a text is read in prediction as far as in training.
    """
    before = LATER_FIELDS | {"predict_length": values.get("max_length")}
    return {k: v for k, v in values.items() if k not in before or v != before[k]}


def division(data: DataConfig) -> dict[str, Setting]:
    """Returns how the data is divided, as `question` has it."""
    return question(RunConfig(data=data))["data"]


def _divided(config: RunConfig) -> Settings:
    """Returns `to_dict` without the fields that say where something is."""
    named = SOURCE_FIELDS | NAMES_OF_CONTENT
    return {
        part: {key: value for key, value in values.items() if key not in named}
        for part, values in to_dict(config).items()
    }


def _build(cls: type[_Config], values: object, where: str) -> _Config:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} must be a table of settings, got {values!r}.")
    hints = typing.get_type_hints(cls)
    for key in values:
        if key not in hints:
            raise ConfigError(f"in {where}: {unknown('setting', key, hints)}")
    return cls(**{key: _value(hints[key], values[key], f"{key}") for key in values})


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return _build(typing.cast("type[Any]", hint), value, where)
    allowed = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if float in allowed and type(value) is int:
        return float(value)
    if type(value) not in allowed:
        names = " or ".join(getattr(kind, "__name__", str(kind)) for kind in allowed)
        raise ConfigError(f"{where} must be of type {names}, got {value!r}.")
    return value
