"""Whether the order of words matters here at all.

Four conditions: the words of each text shuffled at neither, at test, at training, or at
both. A network trained on texts as they are and tested on shuffled ones shows how far
*it* went by order; one that never saw an order, how far one can get without. Such texts
are those of Pham et al. (2021, arXiv:2012.15180), who found that much of what is asked
of language models can be answered without order. The network is the recipe's own, and
the twin without recurrence stands beside the cells.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.comparison.pairs import NO_RECURRENCE, SIGNIFICANCE, Right, right_answer
from seqclf.comparison.verdict import title
from seqclf.comparison.words import joined, percent, signed
from seqclf.config import RunConfig, TextConfig
from seqclf.data.dataset import SHUFFLED, TEST, TRAIN, VALIDATION
from seqclf.records.plain import to_plain
from seqclf.report.figures import drawn, legend, style
from seqclf.report.svg import INK
from seqclf.runs import Run
from seqclf.statistics import holm
from seqclf.studies.intervals import MODELS, accuracy, difference
from seqclf.studies.lab import Lab
from seqclf.studies.question import (
    Answer,
    Question,
    Record,
    Table,
    quick_config,
    trainings,
)
from seqclf.text.encoding import EncodedDataset
from seqclf.text.tokens import tokenize
from seqclf.text.vocabulary import kept_codes

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1  # another number wherever equal arguments give other texts
# Name: the words of the training texts, those of the test texts.
CONDITIONS = {
    "neither": ("in order", "in order"),
    "test": ("in order", "shuffled"),
    "training": ("shuffled", "in order"),
    "both": ("shuffled", "shuffled"),
}

Rights = dict[str, dict[str, Right]]  # by condition, by cell


def run(question: Question, lab: Lab) -> Answer[Any]:
    """Trains the cells, and the twin without recurrence, in order and shuffled.

    Findings: `n` (test texts); `cells`, by cell `accuracy` (by condition, `neither`,
    `test`, `training`, `both`, which is shuffled: accuracy, low and high; None where
    that was not trained), `lost_at_test` (neither - test: the same models), `lost`
    (neither - both: what one who never saw an order is behind; None where that was not
    trained) and `over_none` (neither - neither of the twin without recurrence; None for
    itself), records of difference, low, high, p and of, see `intervals.difference`,
    paired on the same texts. The p of `lost` is Holm's over the cells that recur.
    """
    config = quick_config(question.config) if question.quick else question.config
    cells = (NO_RECURRENCE, *(c for c in question.cells if c != NO_RECURRENCE))
    shuffled = cells[-1:] if question.quick else cells
    data = lab.load(config)
    kept = lab.keep_data(
        f"{data.path.name}-shuffled-v{VERSION}", shuffled_texts(data, config.text)
    )
    in_order = trainings(question, config, cells)
    out_of_order = trainings(question, dataclasses.replace(config, data=kept), shuffled)
    runs = lab.train([*in_order, *out_of_order])
    rights = _rights(runs[: len(in_order)], runs[len(in_order) :])
    findings = {
        "n": len(data.splits[TEST]),
        "cells": adjusted({cell: _cell(cell, rights) for cell in cells}),
    }
    return Answer(
        study="order",
        title="Whether the order of words matters",
        sentence=sentence(findings, len(question.seeds)),
        table=_table(findings),
        rows=tuple(_rows(findings, len(question.seeds))),
        findings=findings,
        trials=len(runs),
        notes=_notes(question, config, data, shuffled),
    )


def shuffled_texts(data: EncodedDataset, text: TextConfig) -> dict[str, pa.Table]:
    """Shuffles the words of each training and validation text; test stays as it is.

    Of a text that is too long for the network, the words that it would see are taken.

    Args:
      data: The texts.
      text: How long they may be, and which part is kept.

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
    """Returns the tokens of each text in a random order, with spaces between them.

    Args:
      texts: string [texts].
      config: How many tokens of a text are kept, and which.
      seed: Equal seeds give equal orders.

    Returns:
      string [texts]; they have the same tokens as before.
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
        "neither": _by_cell(in_order, TEST),
        "test": _by_cell(in_order, SHUFFLED),
        "training": _by_cell(out_of_order, TEST),
        "both": _by_cell(out_of_order, SHUFFLED),
    }


def _by_cell(runs: Sequence[Run], split: str) -> dict[str, Right]:
    found: dict[str, Right] = {}
    for one in runs:
        config = one.config
        right = found.setdefault(config.model.cell, {})
        right[config.training.seed] = right_answer(one, split)
    return found


def _cell(cell: str, rights: Rights) -> Record:
    none = rights["neither"].get(NO_RECURRENCE)
    return {
        "accuracy": {
            condition: to_plain(accuracy(by_cell[cell])) if cell in by_cell else None
            for condition, by_cell in rights.items()
        },
        "lost_at_test": _lost(cell, rights, "test"),
        "lost": _lost(cell, rights, "both"),
        "over_none": None
        if cell == NO_RECURRENCE or none is None
        else to_plain(difference(rights["neither"][cell], none)),
    }


def adjusted(cells: Mapping[str, Record]) -> dict[str, Record]:
    """Returns the cells' findings with the p of `lost` adjusted, see `run`."""
    lost = {c: f["lost"] for c, f in cells.items() if c != NO_RECURRENCE and f["lost"]}
    values = holm([one["p"] for one in lost.values()])
    p = dict(zip(lost, values, strict=True))
    return {
        cell: found | {"lost": found["lost"] | {"p": p[cell]}} if cell in p else found
        for cell, found in cells.items()
    }


def _lost(cell: str, rights: Rights, condition: str) -> Record | None:
    shuffled = rights[condition].get(cell)
    if shuffled is None:
        return None
    return dict(to_plain(difference(rights["neither"][cell], shuffled)))


def sentence(findings: Mapping[str, Any], seeds: int) -> str:
    """Says whether order matters, what is lost without it, what recurrence gains."""
    recurrent = {c: f for c, f in findings["cells"].items() if c != NO_RECURRENCE}
    models = "one model each" if seeds == 1 else f"{seeds} models each"
    return (
        f"{_verdict(recurrent)} Points lost where training and test have shuffled "
        f"words: {_each(recurrent, 'lost')}; where only the test has: "
        f"{_each(recurrent, 'lost_at_test')}. Points above the twin without "
        f"recurrence, words in order: {_each(recurrent, 'over_none')}. Test n = "
        f"{findings['n']:,}, {models}."
    )


def _verdict(recurrent: Mapping[str, Mapping[str, Any]]) -> str:
    lost = {cell: one["lost"] for cell, one in recurrent.items() if one["lost"]}
    if not lost:
        return "No cell was trained on shuffled words."
    if any(one["of"] == MODELS for one in lost.values()):
        return "One training each cannot tell whether order matters here to a cell."
    sure = [
        title(cell)
        for cell, one in lost.items()
        if one["p"] < SIGNIFICANCE and one["low"] > 0
    ]
    if sure:
        return f"Order matters here to {joined(sure)}."
    those = joined([title(cell) for cell in lost])
    return f"Order is not shown to matter here to {those}."


def _each(cells: Mapping[str, Mapping[str, Any]], key: str) -> str:
    found = {cell: one[key] for cell, one in cells.items() if one[key] is not None}
    return joined([f"{title(cell)} {_interval(one)}" for cell, one in found.items()])


def _interval(one: Mapping[str, Any]) -> str:
    value, low, high = (signed(100 * one[k]) for k in ("difference", "low", "high"))
    return f"{value} ({low} to {high})"


def _table(findings: Mapping[str, Any]) -> Table:
    header = (
        "cell",
        *(f"{name} shuffled, %" for name in CONDITIONS),
        "lost at test, points",
        "lost with both, points",
    )
    rows = [
        (
            cell,
            *(_percent(one) for one in found["accuracy"].values()),
            _points(found["lost_at_test"]),
            _points(found["lost"]),
        )
        for cell, found in findings["cells"].items()
    ]
    return Table(header=header, rows=tuple(rows))


def _percent(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return "–"
    value, low, high = (percent(one[k]) for k in ("accuracy", "low", "high"))
    return f"{value} ({low}–{high})"


def _points(one: Mapping[str, Any] | None) -> str:
    return "–" if one is None else _interval(one)


def _rows(findings: Mapping[str, Any], seeds: int) -> list[Record]:
    return [
        {
            "cell": cell,
            "shuffled": condition,
            "seeds": seeds,
            "n": findings["n"],
            **{key: one[key] for key in ("accuracy", "low", "high")},
        }
        for cell, found in findings["cells"].items()
        for condition, one in found["accuracy"].items()
        if one is not None
    ]


def _notes(
    question: Question, config: RunConfig, data: EncodedDataset, shuffled: Sequence[str]
) -> tuple[str, ...]:
    notes = [
        "The words of each text are shuffled within it, once, the same for all cells; "
        "where training is shuffled, so is validation, which chooses the epoch.",
    ]
    longest = max(
        int(data.splits[split].lengths.max()) for split in (TRAIN, VALIDATION)
    )
    if longest == config.text.max_length:
        notes.append(
            f"Of texts of more than {longest} tokens those that the network sees are "
            f"shuffled; the vocabulary of the shuffled texts is counted on these alone."
        )
    if question.quick:
        notes.append(
            f"Quick: {len(data.splits[TRAIN]):,} training texts, at most "
            f"{config.training.epochs} epochs; trained on shuffled words: "
            f"{joined(list(shuffled))} alone."
        )
    return tuple(notes)


def figure(answer: Answer[Any]) -> str:
    """Draws accuracy on words in order and shuffled, a panel for each training."""
    cells = answer.findings["cells"]

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, trained in zip(panels, ("in order", "shuffled"), strict=True):
            for place, (cell, found) in enumerate(cells.items()):
                for condition, (training, test) in CONDITIONS.items():
                    one = found["accuracy"][condition]
                    if training == trained and one is not None:
                        _point(axes, cell, place, one, is_open=test == "shuffled")
            axes.set_title(f"trained on words {trained}", fontsize=10)
            axes.set_xlabel("test accuracy, %")
            axes.grid(axis="x", alpha=0.25)
        panels[0].set_yticks(range(len(cells)), list(cells))
        panels[0].set_ylim(len(cells) - 0.5, -0.5)
        _explain(panels[0])
        legend(figure, panels)

    return drawn(draw, "order", 8.4, 1.5 + 0.4 * len(cells))


def _point(
    axes: Any, cell: str, place: int, one: Mapping[str, Any], *, is_open: bool
) -> None:
    value, low, high = (100 * one[k] for k in ("accuracy", "low", "high"))
    look = style(cell, place) | {"linestyle": "none"}
    if is_open:
        look["markerfacecolor"] = "none"
    reach = [[max(value - low, 0)], [max(high - value, 0)]]
    height = place + (0.13 if is_open else -0.13)
    axes.errorbar([value], [height], xerr=reach, capsize=3, **look)


def _explain(axes: Any) -> None:
    """Adds to the legend what filled and open marks mean."""
    look = {"color": INK, "marker": "o", "linestyle": "none"}
    axes.plot([], [], label="tested on words in order", **look)
    axes.plot([], [], label="on shuffled words", markerfacecolor="none", **look)
