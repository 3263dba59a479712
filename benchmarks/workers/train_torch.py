"""Trains PyTorch: as its tutorials do (packed), or as well as it can (buckets)."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import nn
from torch_model import Network, padded
from worker import OPTIONS, serve

torch.set_num_threads(OPTIONS["threads"])
sample = np.load(OPTIONS["sample"])
token_ids, offsets = sample["token_ids"], sample["offsets"]
labels = torch.from_numpy(sample["label_ids"].astype(np.int64))
# As many reviews a batch as seqclf; its very batches unless packed.
orders = {
    True: np.array_split(np.random.default_rng(0).permutation(len(labels)),
                         max(len(labels) // 64, 1)),
    False: np.split(sample["order"], sample["cuts"]),
}  # fmt: skip
batches = orders[OPTIONS["packed"]][: OPTIONS.get("batches")]
model = Network(int(sample["vocabulary_size"]), OPTIONS["cell"], OPTIONS["packed"])
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
loss_of = nn.CrossEntropyLoss()


def epoch() -> dict[str, float]:
    """Trains one epoch."""
    start = time.perf_counter()
    for rows in batches:
        optimizer.zero_grad()
        loss_of(model(*padded(token_ids, offsets, rows)), labels[rows]).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    rate = sum(map(len, batches)) / (time.perf_counter() - start)
    return {"steady": rate, "whole": rate, "stall": 0.0}


epoch()
serve(epoch)
