"""Classifies token ids with PyTorch, in the same length-sorted batches."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch_model import Network, padded
from worker import OPTIONS, serve

torch.set_num_threads(OPTIONS["threads"])
sample = np.load(OPTIONS["sample"])
token_ids, offsets = sample["token_ids"], sample["offsets"]
model = Network(int(sample["vocabulary_size"]), OPTIONS["cell"], packed=False).eval()


def predict() -> dict[str, float]:
    """Classifies all rows; they are encoded already."""
    start = time.perf_counter()
    order = np.argsort(np.diff(offsets), kind="stable")
    labels = np.empty(len(order), np.int64)
    with torch.inference_mode():
        for first in range(0, len(order), 64):
            rows = order[first : first + 64]
            labels[rows] = model(*padded(token_ids, offsets, rows)).argmax(1).numpy()
    return {"rate": len(order) / (time.perf_counter() - start)}


predict()
serve(predict)
