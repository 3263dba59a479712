"""Encoders of two layers, as transformers saves them, and what they say, in numpy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

SIZE, HEADS, LAYERS, INNER, LONGEST = 16, 2, 2, 24, 12
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
WORDS = (
    *SPECIAL, "bad", "awful", "dull", "poor", "dreadful", "clumsy", "good", "great",
    "lovely", "fine", "superb", "charming", "film", "meal", "room", "phone", "play",
    "soup", "view", "very", "number", ",",
)  # fmt: skip
SHIFTED = {"roberta": 2, "xlm-roberta": 2}  # places before that of the first piece
EPSILON = {"roberta": 1e-5, "xlm-roberta": 1e-5}
TENSORS = {"query": "q_lin", "key": "k_lin", "value": "v_lin"}


def config_of(kind: str) -> dict[str, object]:
    """Returns config.json."""
    if kind == "distilbert":
        return {
            "model_type": kind, "vocab_size": len(WORDS), "n_layers": LAYERS,
            "n_heads": HEADS, "dim": SIZE, "hidden_dim": INNER, "dropout": 0.1,
            "max_position_embeddings": LONGEST, "activation": "gelu",
        }  # fmt: skip
    return {
        "model_type": kind, "vocab_size": len(WORDS), "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "hidden_size": SIZE, "intermediate_size": INNER,
        "hidden_dropout_prob": 0.1, "hidden_act": "gelu",
        "max_position_embeddings": LONGEST + SHIFTED.get(kind, 0),
        "type_vocab_size": 2 if kind == "bert" else 1,
    }  # fmt: skip


def weights_of(kind: str, seed: int = 0) -> dict[str, np.ndarray]:
    """Draws all tensors, by BERT's names without the name of the kind."""
    generator = np.random.default_rng(seed)

    def drawn(*shape: int) -> np.ndarray:
        return generator.normal(0, 0.3, shape).astype(np.float32)

    found = {
        # Larger than all that is added to them: texts are told apart by their words.
        "embeddings.word_embeddings.weight": 5 * drawn(len(WORDS), SIZE),
        "embeddings.position_embeddings.weight": drawn(
            LONGEST + SHIFTED.get(kind, 0), SIZE
        ),
        "embeddings.token_type_embeddings.weight": drawn(
            2 if kind == "bert" else 1, SIZE
        ),
        "pooler.dense.weight": drawn(SIZE, SIZE),
        "pooler.dense.bias": drawn(SIZE),
    }
    norms = ["embeddings.LayerNorm"]
    for i in range(LAYERS):
        at = f"encoder.layer.{i}"
        inner = {f"attention.self.{name}": (SIZE, SIZE) for name in TENSORS}
        inner |= {"attention.output.dense": (SIZE, SIZE)}
        inner |= {"intermediate.dense": (INNER, SIZE), "output.dense": (SIZE, INNER)}
        for name, shape in inner.items():
            found[f"{at}.{name}.weight"] = drawn(*shape)
            found[f"{at}.{name}.bias"] = drawn(shape[0])
        norms += [f"{at}.attention.output.LayerNorm", f"{at}.output.LayerNorm"]
    for name in norms:
        found[f"{name}.weight"] = 1 + drawn(SIZE)
        found[f"{name}.bias"] = drawn(SIZE)
    return found


def named(kind: str, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the tensors by the names that a kind has for them."""
    if kind != "distilbert":
        return weights
    renamed = {}
    for name, tensor in weights.items():
        if "pooler" in name or "token_type" in name:
            continue
        new = name.replace("encoder.layer", "transformer.layer")
        for old, its in TENSORS.items():
            new = new.replace(f"attention.self.{old}", f"attention.{its}")
        new = new.replace("attention.output.dense", "attention.out_lin")
        new = new.replace("attention.output.LayerNorm", "sa_layer_norm")
        new = new.replace("intermediate.dense", "ffn.lin1")
        new = new.replace("output.dense", "ffn.lin2")
        if "transformer" in new:
            new = new.replace("output.LayerNorm", "output_layer_norm")
        renamed[new] = tensor
    return renamed


def write_encoder(folder: Path, kind: str = "bert", prefix: str = "") -> Path:
    """Writes an encoder; `prefix` stands before the names of its tensors."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config_of(kind)))
    tensors = named(kind, weights_of(kind))
    save_file({prefix + name: x for name, x in tensors.items()},
              folder / "model.safetensors")  # fmt: skip
    ids = {word: i for i, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    # As many on the Hub: both would be wrong here.
    tokenizer.enable_padding(length=7)
    tokenizer.enable_truncation(4)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def said(kind: str, ids: list[int]) -> np.ndarray:
    """Returns what an encoder says of a text's pieces, float64 [pieces, size].

    By the formulas of Devlin et al. 2019 (N19-1423) and Vaswani et al. 2017, a text at
    a time and without padding.
    """
    w = {name: x.astype(np.float64) for name, x in weights_of(kind).items()}
    shift, epsilon = SHIFTED.get(kind, 0), EPSILON.get(kind, 1e-12)

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + epsilon)
        return x * w[f"{name}.weight"] + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][ids]
    x = x + w["embeddings.position_embeddings.weight"][shift : shift + len(ids)]
    if kind != "distilbert":
        x = x + w["embeddings.token_type_embeddings.weight"][0]
    x = norm(x, "embeddings.LayerNorm")
    for i in range(LAYERS):
        at = f"encoder.layer.{i}"
        x = norm(x + attended(x, dense, at), f"{at}.attention.output.LayerNorm")
        inner = gelu(dense(x, f"{at}.intermediate.dense"))
        x = norm(x + dense(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    return x


def attended(x: np.ndarray, dense, at: str) -> np.ndarray:
    width = SIZE // HEADS
    heads = []
    q, k, v = (dense(x, f"{at}.attention.self.{name}") for name in TENSORS)
    for head in range(HEADS):
        own = slice(head * width, (head + 1) * width)
        scores = np.exp(q[:, own] @ k[:, own].T / np.sqrt(width))
        heads.append(scores / scores.sum(-1, keepdims=True) @ v[:, own])
    return dense(np.concatenate(heads, -1), f"{at}.attention.output.dense")


def gelu(x: np.ndarray) -> np.ndarray:
    from scipy.special import erf

    return x * (1 + erf(x / np.sqrt(2))) / 2
