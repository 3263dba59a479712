"""An encoder's network, by its `config.json`, and whether its weights are of that one.

A stranger wrote both files. Of `config.json` only the sizes are read on, each checked,
for other keys would have KerasHub open something else; and a network is not built
before the weights are seen to have its sizes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqclf.errors import ConfigError
from seqclf.wording import joined

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
TOKENIZER_FILE = "tokenizer.json"
# Bytes; the largest encoders of these kinds have 2 GB of weights, and 17 MB of pieces.
MOST_BYTES = {CONFIG_FILE: 2**22, WEIGHTS_FILE: 2**33, TOKENIZER_FILE: 2**27}
WORDS = "embeddings.word_embeddings.weight"
POSITIONS = "embeddings.position_embeddings.weight"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of encoder calls things, and what KerasHub takes for granted.

    Attributes:
      sizes: Keys of config.json: of the vocabulary, layers, heads, the numbers of a
        piece, those within a layer, and positions. KerasHub's converter reads them.
      fixed: Keys that KerasHub does not read, and what it takes them to be, as
        transformers does where they are left out. Epsilons are those in its code.
      layers: What the names of the tensors of layers begin with, before their number.
      inner: How the name ends of the one that has the numbers within a layer.
      rates: Keys of fractions that the converter reads, and transformers' defaults.
    """

    sizes: tuple[str, str, str, str, str, str]
    fixed: Mapping[str, object]
    layers: str
    inner: str
    rates: Mapping[str, float]


_ABSOLUTE = {"position_embedding_type": "absolute"}
_BERT = {"hidden_act": "gelu", "is_decoder": False} | _ABSOLUTE
# Positions are counted from the piece of padding on.
_ROBERTA = _BERT | {"layer_norm_eps": 1e-5, "pad_token_id": 1}
_BERT_SIZES = (
    "vocab_size", "num_hidden_layers", "num_attention_heads", "hidden_size",
    "intermediate_size", "max_position_embeddings",
)  # fmt: skip


def _of_bert(fixed: Mapping[str, object]) -> Kind:
    return Kind(_BERT_SIZES, fixed, "encoder.layer.", ".intermediate.dense.weight", {})


# By transformers' names.
KINDS = {
    "bert": _of_bert(_BERT | {"layer_norm_eps": 1e-12, "type_vocab_size": 2}),
    "distilbert": Kind(
        (
            "vocab_size", "n_layers", "n_heads", "dim", "hidden_dim",
            "max_position_embeddings",
        ),
        {"activation": "gelu"} | _ABSOLUTE,
        "transformer.layer.",
        ".ffn.lin1.weight",
        {"dropout": 0.1},
    ),
    "roberta": _of_bert(_ROBERTA),
    "xlm-roberta": _of_bert(_ROBERTA),
}  # fmt: skip


def read_config(source: str, folder: Path) -> dict[str, Any]:
    """Returns what KerasHub is to read of an encoder's `config.json`, and no more.

    That is its kind as `model_type`, a key of `KINDS`, sizes of 1 or more, and
    fractions.

    Args:
      source: What the encoder is called in errors.
      folder: Where the file lies.

    Raises:
      ConfigError: If it is damaged, too large, of another kind, or of an encoder that
        KerasHub would open as another.
    """
    config = _read(source, folder / CONFIG_FILE)
    name = config.get("model_type")
    if not isinstance(name, str) or name not in KINDS:
        raise ConfigError(
            f"{source} is of the kind {name!r:.80}; a yardstick is an encoder of the "
            f"kinds {joined(list(KINDS))} (model_type in {CONFIG_FILE})."
        )
    kind = KINDS[name]
    for key, only in kind.fixed.items():
        if (came := config.get(key, only)) != only:
            raise ConfigError(
                f"{source} has {key} {came!r:.80} in {CONFIG_FILE}, and KerasHub would "
                f"open it as {only!r}; take another encoder."
            )
    sizes = {key: _size(source, key, config.get(key)) for key in kind.sizes}
    rates = {
        key: _rate(source, key, config.get(key, usual))
        for key, usual in kind.rates.items()
    }
    return {"model_type": name, **sizes, **rates}


def _read(source: str, file: Path) -> Mapping[str, Any]:
    try:
        require_bytes(source, {file.name: file.stat().st_size})
        values = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"{CONFIG_FILE} of {source} could not be read: {error}"
        ) from error
    if not isinstance(values, dict):
        raise ConfigError(f"{CONFIG_FILE} of {source} holds no object.")
    return values


def _size(source: str, key: str, came: object) -> int:
    if type(came) is not int or came < 1:  # True is an int, too
        raise ConfigError(
            f"{source} has {key} {came!r:.80} in {CONFIG_FILE}, where an encoder has a "
            f"whole number of 1 or more; take another."
        )
    return came


def _rate(source: str, key: str, came: object) -> float:
    if type(came) not in (int, float) or not 0 <= came < 1:  # type: ignore[operator]
        raise ConfigError(
            f"{source} has {key} {came!r:.80} in {CONFIG_FILE}, where an encoder has a "
            f"fraction in [0, 1); take another."
        )
    return float(came)  # type: ignore[arg-type]


def require_bytes(source: str, sizes: Mapping[str, int | None]) -> None:
    """Raises ConfigError where a file, by its name, has more bytes than an encoder's.

    None is a size that is not known.
    """
    for name, most in MOST_BYTES.items():
        if (size := sizes.get(name) or 0) > most:
            raise ConfigError(
                f"{source} was not opened: its {name} has {size:,} bytes, more than "
                f"the {most:,} that an encoder's may have; take another encoder."
            )


def require_weights(source: str, folder: Path, config: Mapping[str, Any]) -> None:
    """Raises ConfigError unless weights have the sizes that `read_config` returned.

    Only the header of their file is read. The package that reads it refuses one of more
    than 100 MB, and one whose tensors are not exactly the rest of the file.
    """
    kind = KINDS[config["model_type"]]
    shapes = shapes_of(source, folder)
    vocabulary, layers, heads, size, inner, positions = kind.sizes
    start = prefix_of(shapes)
    expected = {
        start + WORDS: (vocabulary, size),
        start + POSITIONS: (positions, size),
        f"{start}{kind.layers}0{kind.inner}": (inner, size),
    }
    for name, keys in expected.items():
        if (came := shapes.get(name)) != tuple(config[key] for key in keys):
            raise ConfigError(
                f"{source} has {_said(config, keys)} in {CONFIG_FILE}, and its "
                f"{WEIGHTS_FILE} has {_shape_said(came)} as {name}; the files do not "
                f"belong together, so take another encoder."
            )
    own = [name for name in shapes if name.startswith(start + kind.layers)]
    if (has := sum(name.endswith(kind.inner) for name in own)) < config[layers]:
        raise ConfigError(
            f"{source} has {_said(config, [layers])} in {CONFIG_FILE}, and its "
            f"{WEIGHTS_FILE} has {has:,} layers; the files do not belong together, so "
            f"take another encoder."
        )
    if config[size] % config[heads]:
        raise ConfigError(
            f"{source} has {_said(config, [size, heads])} in {CONFIG_FILE}, where the "
            f"heads have equal parts; take another encoder."
        )


def _said(config: Mapping[str, Any], keys: Iterable[str]) -> str:
    return joined([f"{key} {config[key]:,}" for key in keys])


def _shape_said(shape: tuple[int, ...] | None) -> str:
    return "nothing" if shape is None else " × ".join(f"{n:,}" for n in shape)


def shapes_of(source: str, folder: Path) -> dict[str, tuple[int, ...]]:
    """Returns the shape of each tensor of an encoder's weights, by its name.

    Raises:
      ConfigError: If the file is damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / WEIGHTS_FILE, "np") as file:
            return {
                name: tuple(file.get_slice(name).get_shape())
                for name in file.keys()  # noqa: SIM118 -- no dict
            }
    except (OSError, SafetensorError) as error:
        raise ConfigError(
            f"{WEIGHTS_FILE} of {source} could not be read: {error!s:.300}"
        ) from error


def prefix_of(names: Iterable[str]) -> str:
    """Returns what stands before the names of an encoder's tensors, such as `bert.`."""
    ends = (name.removesuffix(WORDS) for name in names if name.endswith(WORDS))
    return next(ends, "")
