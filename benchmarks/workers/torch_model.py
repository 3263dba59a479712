"""The same network in PyTorch, padded or packed."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

CELLS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


class Network(nn.Module):
    """Embedding, one recurrent layer of 128 units, its last state, two logits.

    Without a recurrent layer (`none`) the embeddings are averaged.
    """

    def __init__(self, vocabulary_size: int, cell: str, packed: bool) -> None:
        """Builds it.

        Args:
          vocabulary_size: Number of token ids.
          cell: none, rnn, gru or lstm.
          packed: Whether padding is skipped by `pack_padded_sequence`, as PyTorch's
            tutorials do; else the state of the last token is picked from all states.
        """
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, 128, padding_idx=0)
        self.recurrent = CELLS[cell](128, 128) if cell in CELLS else None
        self.logits = nn.Linear(128, 2)
        self.packed = packed

    def forward(self, token_ids: Tensor, lengths: Tensor) -> Tensor:
        """Returns logits [batch, 2] of token_ids [time, batch]."""
        embedded = self.embedding(token_ids)
        if self.recurrent is None:
            pooled = embedded.sum(0) / lengths[:, None]  # padding is embedded as 0
        elif self.packed:
            packed = pack_padded_sequence(embedded, lengths, enforce_sorted=False)
            _, state = self.recurrent(packed)
            pooled = (state[0] if isinstance(state, tuple) else state)[-1]
        else:
            states, _ = self.recurrent(embedded)
            pooled = states[lengths - 1, torch.arange(len(lengths))]
        return self.logits(pooled)


def padded(
    token_ids: np.ndarray, offsets: np.ndarray, rows: np.ndarray
) -> tuple[Tensor, Tensor]:
    """Returns the rows as token_ids [time, batch], padded behind, and their lengths."""
    starts, ends = offsets[rows], offsets[rows + 1]
    batch = np.zeros((int((ends - starts).max()), len(rows)), np.int64)
    for column, (start, end) in enumerate(zip(starts, ends, strict=True)):
        batch[: end - start, column] = token_ids[start:end]
    return torch.from_numpy(batch), torch.from_numpy(ends - starts)
