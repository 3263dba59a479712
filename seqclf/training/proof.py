"""What twins must have in common, as hashes that show it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from seqclf.model.build import OF_CELLS
from seqclf.records.plain import from_plain
from seqclf.records.training import Optimizer
from seqclf.text.batching import Batch
from seqclf.text.encoding import EncodedDataset


def proof_of_data(data: EncodedDataset) -> dict[str, str]:
    """Returns a hash of each split, of its token ids and labels in their order.

    A hash is the first 16 hexadecimal digits of SHA-256.
    """
    return {
        name: digest(
            *map(np.ascontiguousarray, (one.token_ids, one.offsets, one.label_ids))
        )
        for name, one in data.splits.items()
    }


def proof_of_weights(model: Any) -> dict[str, str]:
    """Returns a hash of each initial weight outside the cell.

    Keys are the layer's name, the weight's and its shape, such as
    `logits/kernel [256, 2]`; layers of other shapes are other weights.
    """
    return {
        f"{variable.path} {list(variable.shape)}": digest(variable.numpy())
        for variable in model.weights
        if not variable.path.startswith(OF_CELLS)
    }


def watched(batches: Iterator[Batch], seen: Any) -> Iterator[Batch]:
    """Passes batches on and adds their arrays to a hash of `hashlib`."""
    for batch in batches:
        seen.update(np.array(batch.token_ids.shape))
        seen.update(np.ascontiguousarray(batch.token_ids))
        seen.update(np.ascontiguousarray(batch.label_ids))
        yield batch


def digest(*contents: Any) -> str:
    """Returns the first 16 hexadecimal digits of SHA-256 over bytes or arrays."""
    hashed = hashlib.sha256()
    for content in contents:
        hashed.update(content)
    return shortened(hashed)


def shortened(hashed: Any) -> str:
    """Returns as many digits of a hash as tell contents apart."""
    return str(hashed.hexdigest()[:16])


def optimizer_of(model: Any) -> Optimizer:
    """Returns the optimizer of a compiled model and its schedule."""
    config = model.optimizer.get_config()
    about = {
        "optimizer": type(model.optimizer).__name__,
        "schedule": config["learning_rate"]["config"],
    }
    return from_plain(Optimizer, config | about)
