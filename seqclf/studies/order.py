"""Whether the order of words matters here at all.

Four conditions: the words of each text shuffled at neither, at test, at training, or at
both. A network trained in order and tested on shuffled texts shows how far *it* used
the order; one trained on shuffled texts, how good one can be without. Pham et al.
(2021, arXiv:2012.15180) found with such texts that much of what language models are
asked can be answered without order. The network is the recipe's, and the twin without
recurrence is trained too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from seqclf.cells import CELLS, NO_RECURRENCE
from seqclf.comparison.pairs import Right
from seqclf.config import TextConfig
from seqclf.data.dataset import SHUFFLED, TEST, TRAIN, VALIDATION
from seqclf.records.inside import CellOrder, OrderFindings
from seqclf.runs import Run
from seqclf.statistics import holm
from seqclf.studies import order_shown
from seqclf.studies.intervals import accuracy, difference
from seqclf.studies.lab import Lab
from seqclf.studies.order_shown import CONDITIONS
from seqclf.studies.question import Answer, Question, trainings
from seqclf.text.encoding import EncodedDataset
from seqclf.text.tokens import tokenize
from seqclf.text.vocabulary import kept_codes

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1  # another number wherever equal arguments give other texts
NEITHER, SHUFFLED_TEST, TRAINING, BOTH = CONDITIONS

Rights = dict[str, dict[str, Right]]  # by condition, by cell


def run(question: Question, lab: Lab) -> Answer[OrderFindings]:
    """Trains the cells and the twin without recurrence, in order and shuffled.

    All comparisons are paired on the same texts.
    """
    config = question.recipe
    none = NO_RECURRENCE.name
    cells = (none, *(cell for cell in question.cells if cell != none))
    shuffled = cells[-1:] if question.quick else cells
    data = lab.load(config)
    kept = lab.keep_data(
        f"{data.path.name}-shuffled-v{VERSION}", shuffled_texts(data, config.text)
    )
    in_order = trainings(question, config, cells)
    out_of_order = trainings(question, dataclasses.replace(config, data=kept), shuffled)
    runs = lab.train([*in_order, *out_of_order])
    rights = _rights(runs[: len(in_order)], runs[len(in_order) :])
    findings = OrderFindings(
        n=len(data.splits[TEST]),
        cells=adjusted({cell: _cell(cell, rights) for cell in cells}),
    )
    return Answer(
        study="order",
        title="Whether the order of words matters",
        sentence=order_shown.sentence(findings, len(question.seeds)),
        table=order_shown.table(findings),
        rows=tuple(_rows(findings, len(question.seeds))),
        findings=findings,
        trials=len(runs),
        notes=order_shown.notes(question, config, data, shuffled),
    )


def shuffled_texts(data: EncodedDataset, text: TextConfig) -> dict[str, pa.Table]:
    """Shuffles the words of each training and validation text, not those of test.

    Args:
      data: The texts.
      text: Their maximum length and which part is kept: only those words are shuffled.

    Returns:
      By split, tables with text: string and label: string.
    """
    import pyarrow as pa

    tables = {}
    for seed, split in enumerate((TRAIN, VALIDATION, TEST)):
        texts = data.texts(split).combine_chunks()
        if split != TEST:
            texts = shuffled_words(texts, text, seed)
        labels = pa.array(data.labels).take(pa.array(data.splits[split].label_ids))
        tables[split] = pa.table({"text": texts, "label": labels})
    return tables


def shuffled_words(texts: pa.Array, config: TextConfig, seed: int) -> pa.Array:
    """Returns the same texts, string [texts], with their tokens in a random order.

    Args:
      texts: string [texts].
      config: How many tokens of a text are kept, and which.
      seed: Equal seeds give equal orders.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    tokenized = tokenize(texts)
    codes = kept_codes(tokenized, config)
    lengths = np.minimum(np.diff(tokenized.offsets), config.max_length)
    text_of = np.repeat(np.arange(len(lengths)), lengths)
    keys = np.random.default_rng(seed).random(len(codes))
    codes = codes[np.lexsort((keys, text_of))]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    words = pa.ListArray.from_arrays(
        pa.array(offsets), tokenized.tokens.take(pa.array(codes))
    )
    return pc.binary_join(words, " ")


def _rights(in_order: Sequence[Run], out_of_order: Sequence[Run]) -> Rights:
    return {
        NEITHER: _by_cell(in_order, TEST),
        SHUFFLED_TEST: _by_cell(in_order, SHUFFLED),
        TRAINING: _by_cell(out_of_order, TEST),
        BOTH: _by_cell(out_of_order, SHUFFLED),
    }


def _by_cell(runs: Sequence[Run], split: str) -> dict[str, Right]:
    found: dict[str, Right] = {}
    for one in runs:
        config = one.config
        right = found.setdefault(config.model.cell, {})
        right[config.training.seed] = one.predictions(split).right
    return found


def _cell(cell: str, rights: Rights) -> CellOrder:
    own = {c: by_cell[cell] for c, by_cell in rights.items() if cell in by_cell}
    none = rights[NEITHER].get(NO_RECURRENCE.name) if CELLS[cell].recurs else None
    return CellOrder(
        accuracy={c: accuracy(own[c]) if c in own else None for c in rights},
        lost_at_test=difference(own[NEITHER], own[SHUFFLED_TEST]),
        lost=difference(own[NEITHER], own[BOTH]) if BOTH in own else None,
        over_none=difference(own[NEITHER], none) if none else None,
    )


def adjusted(cells: Mapping[str, CellOrder]) -> dict[str, CellOrder]:
    """Returns the findings with the p of `lost` adjusted over the recurrent cells."""
    lost = {c: one.lost for c, one in cells.items() if CELLS[c].recurs and one.lost}
    values = holm([one.p for one in lost.values()])
    found = {
        cell: dataclasses.replace(one, p=p)
        for (cell, one), p in zip(lost.items(), values, strict=True)
    }
    return {
        cell: dataclasses.replace(one, lost=found.get(cell, one.lost))
        for cell, one in cells.items()
    }


def _rows(findings: OrderFindings, seeds: int) -> Iterator[dict[str, object]]:
    for cell, found in findings.cells.items():
        for condition, one in found.accuracy.items():
            if one is not None:
                yield {
                    "cell": cell, "shuffled": condition, "seeds": seeds,
                    "n": findings.n, **dataclasses.asdict(one),
                }  # fmt: skip
