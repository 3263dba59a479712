"""Whether the order of words matters here at all.

Four conditions: the words of each text shuffled at neither, at test, at training, or at
both. A network trained in order and tested on shuffled texts shows how far *it* used
the order; one trained on shuffled texts, how good one can be without. Pham et al.
(2021, arXiv:2012.15180) found with such texts that much of what language models are
asked can be answered without order. The network is the recipe's. The twin without
recurrence is trained too, and the dense one: it is as wide as SimpleRNN, so that what
recurrence adds is told from what a layer adds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.cells import CELLS, DENSE, NO_RECURRENCE
from seqclf.comparison.details import written_and_shuffled
from seqclf.comparison.judged import SIGNIFICANCE
from seqclf.comparison.pairs import Right
from seqclf.comparison.said import title
from seqclf.config import WORD, RunConfig, TextConfig
from seqclf.data.dataset import TEST, TRAIN, VALIDATION, shuffled_rows
from seqclf.errors import ConfigError
from seqclf.records.details import Reach
from seqclf.records.estimates import Difference
from seqclf.records.inside import CellOrder, OrderFindings
from seqclf.report.figures import drawn, legend, style
from seqclf.report.svg import INK
from seqclf.report.table import Table
from seqclf.runs import Run
from seqclf.studies import intervals
from seqclf.studies.drawing import bar, name_lines
from seqclf.studies.inside.unrolled import guessing
from seqclf.studies.intervals import MODELS, accuracy, difference, own_difference
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question, trainings
from seqclf.text.encoding import EncodedDataset
from seqclf.text.tokens import tokenize
from seqclf.text.vocabulary import kept_codes
from seqclf.wording import MISSING, joined, models_each, with_interval

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1  # another number wherever equal arguments give other texts

Rights = dict[str, dict[str, Right]]  # by condition, by cell

# By what is shuffled: the words of the training texts, and those of the test texts.
CONDITIONS = {
    "neither": ("in order", "in order"),
    "test": ("in order", "shuffled"),
    "training": ("shuffled", "in order"),
    "both": ("shuffled", "shuffled"),
}
NEITHER, SHUFFLED_TEST, TRAINING, BOTH = CONDITIONS


def run(question: Question, lab: Lab) -> Answer[OrderFindings]:
    """Trains the cells and the twins that do not recur, in order and shuffled.

    All comparisons are paired on the same texts. Tokens are words: those are shuffled.
    A quick question has the last two recurrent cells alone.
    """
    question = question.narrowed
    if not any(CELLS[cell].recurs for cell in question.cells):
        raise ConfigError(
            "the study order asks what the order of words is worth to a recurrent "
            "cell; name one, such as --cells gru."
        )
    config = question.recipe
    config = replace(config, text=replace(config.text, tokens=WORD))
    cells = tuple(dict.fromkeys((NO_RECURRENCE.name, DENSE.name, *question.cells)))
    shuffled = cells[-1:] if question.quick else cells
    data = lab.load(config)
    kept = lab.keep_data(
        f"{data.path.name}-shuffled-v{VERSION}", shuffled_texts(data, config.text)
    )
    in_order = trainings(question, config, cells)
    out_of_order = trainings(question, replace(config, data=kept), shuffled)
    runs = lab.train([*in_order, *out_of_order])
    rights = _rights(runs[: len(in_order)], runs[len(in_order) :])
    findings = OrderFindings(
        n=len(shuffled_rows(len(data.splits[TEST]))),
        cells=adjusted({cell: _cell(cell, rights) for cell in cells}),
        guessing=guessing(replace(question, cells=cells), runs[: len(in_order)]),
    )
    return Answer(
        study="order", title="Whether the order of words matters",
        sentence=sentence(findings, len(question.seeds)), table=table(findings),
        rows=tuple(_rows(findings, len(question.seeds))), findings=findings,
        trials=len(runs), notes=notes(question, config, data, shuffled),
    )  # fmt: skip


def shuffled_texts(data: EncodedDataset, text: TextConfig) -> dict[str, pa.Table]:
    """Shuffles the words of each training and validation text, not those of test.

    Only words that the maximum length keeps are shuffled. Returns, by split, tables
    with text: string and label: string.
    """
    import pyarrow as pa

    tables = {}
    for seed, split in enumerate((TRAIN, VALIDATION, TEST)):
        texts = data.texts(split).combine_chunks()
        if split != TEST:
            read = text if split == TRAIN else text.reading
            texts = shuffled_words(texts, read, seed)
        labels = pa.array(data.labels).take(pa.array(data.splits[split].label_ids))
        tables[split] = pa.table({"text": texts, "label": labels})
    return tables


def shuffled_words(texts: pa.Array, config: TextConfig, seed: int) -> pa.Array:
    """Returns the same texts, string [texts], with their kept tokens in a random order.

    Equal seeds give equal orders; the config says how many tokens are kept, and which.
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
    tokens = tokenized.tokens.take(pa.array(codes))
    words = pa.ListArray.from_arrays(pa.array(offsets), tokens)
    return pc.binary_join(words, " ")


def _rights(in_order: Sequence[Run], out_of_order: Sequence[Run]) -> Rights:
    as_written, shuffled = _by_cell(in_order)
    trained_shuffled, both = _by_cell(out_of_order)
    return {
        NEITHER: as_written,
        SHUFFLED_TEST: shuffled,
        TRAINING: trained_shuffled,
        BOTH: both,
    }


def _by_cell(runs: Sequence[Run]) -> tuple[dict[str, Right], dict[str, Right]]:
    """Returns what each cell has right: of texts as they are written, and shuffled."""
    found: tuple[dict[str, Right], dict[str, Right]] = {}, {}
    for one in runs:
        config = one.config
        for by_cell, right in zip(found, written_and_shuffled(one), strict=True):
            by_cell.setdefault(config.model.cell, {})[config.training.seed] = right
    return found


def _cell(cell: str, rights: Rights) -> CellOrder:
    own = {c: by_cell[cell] for c, by_cell in rights.items() if cell in by_cell}
    among = [one for c in (NEITHER, BOTH) for one in rights[c].values()]

    def over(other: str) -> Difference | None:
        if not CELLS[cell].recurs or other not in rights[NEITHER]:
            return None
        return difference(own[NEITHER], rights[NEITHER][other], among)

    return CellOrder(
        accuracy={c: accuracy(own[c]) if c in own else None for c in rights},
        lost_at_test=own_difference(own[NEITHER], own[SHUFFLED_TEST]),
        lost=difference(own[NEITHER], own[BOTH], among) if BOTH in own else None,
        over_none=over(NO_RECURRENCE.name),
        over_dense=over(DENSE.name),
    )


def adjusted(cells: Mapping[str, CellOrder]) -> dict[str, CellOrder]:
    """Returns the findings with the p of `lost` adjusted over the recurrent cells."""
    lost = {c: one.lost for c, one in cells.items() if CELLS[c].recurs and one.lost}
    found = dict(zip(lost, intervals.adjusted(list(lost.values())), strict=True))
    return {c: replace(one, lost=found.get(c, one.lost)) for c, one in cells.items()}


def _rows(findings: OrderFindings, seeds: int) -> Iterator[dict[str, object]]:
    for cell, found in findings.cells.items():
        for condition, one in found.accuracy.items():
            if one is not None:
                yield {
                    "cell": cell, "shuffled": condition, "seeds": seeds,
                    "n": findings.n, **asdict(one),
                }  # fmt: skip


def sentence(findings: OrderFindings, seeds: int) -> str:
    """Says whether order matters, what is lost without it, what recurrence gains."""
    cells = {c: one for c, one in findings.cells.items() if CELLS[c].recurs}
    lost = {cell: one.lost for cell, one in cells.items() if one.lost}
    lost_at_test = {cell: one.lost_at_test for cell, one in cells.items()}
    over_none = {cell: one.over_none for cell, one in cells.items() if one.over_none}
    over_dense = {cell: one.over_dense for cell, one in cells.items() if one.over_dense}
    dense = f"; above the dense twin: {_each(over_dense)}" if over_dense else ""
    return (
        f"{_verdict(lost)} Points lost where training and test have shuffled "
        f"words: {_each(lost)}; where only the test has: {_each(lost_at_test)}. Points "
        f"above the twin without recurrence, words in order: {_each(over_none)}{dense}."
        f" Test n = {findings.n:,}, {models_each(seeds)}."
    )


def _verdict(lost: Mapping[str, Difference]) -> str:
    if not lost:
        return "No cell was trained on shuffled words."
    if any(one.of == MODELS for one in lost.values()):
        return "One training each cannot tell whether order matters here to a cell."
    sure = [c for c, one in lost.items() if one.p < SIGNIFICANCE and one.low > 0]
    said = "matters" if sure else "is not shown to matter"
    return f"Order {said} here to {joined([title(cell) for cell in sure or lost])}."


def _each(found: Mapping[str, Difference]) -> str:
    return joined([f"{title(cell)} {_interval(one)}" for cell, one in found.items()])


def _interval(one: Difference | None) -> str:
    return with_interval(one.difference, one.low, one.high) if one else MISSING


def _accuracy(one: Reach | None) -> str:
    return with_interval(one.accuracy, one.low, one.high) if one else MISSING


def table(findings: OrderFindings) -> Table:
    """Returns a line a cell."""
    shuffled = [f"{name} shuffled, %" for name in CONDITIONS]
    header = ("cell", *shuffled, "lost at test, points", "lost with both, points")
    rows = []
    for cell, found in findings.cells.items():
        lost = map(_interval, (found.lost_at_test, found.lost))
        rows.append((cell, *map(_accuracy, found.accuracy.values()), *lost))
    return Table(header=header, rows=tuple(rows))


def notes(
    question: Question, config: RunConfig, data: EncodedDataset, shuffled: Sequence[str]
) -> tuple[str, ...]:
    """Says what was shuffled, and what was left out."""
    lines = [
        "The words of each text are shuffled within it, once, the same for all cells; "
        "where training is shuffled, so is validation, which chooses the epoch."
    ]
    longest = int(data.splits[TRAIN].lengths.max())
    if longest == config.text.max_length:
        lines.append(
            f"Of texts of more than {longest} tokens only those that the network sees "
            f"are shuffled; the vocabulary of the shuffled texts is counted on these."
        )
    quick = question.quick_note(
        f"{joined(question.cells)} alone, trained on shuffled words "
        f"{joined(list(shuffled))}."
    )
    return (*lines, *quick)


def figure(answer: Answer[OrderFindings]) -> str:
    """Draws accuracy on words in order and shuffled, a panel for each training."""
    cells = answer.findings.cells

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, trained in zip(panels, ("in order", "shuffled"), strict=True):
            for place, (cell, found) in enumerate(cells.items()):
                for condition, (training, test) in CONDITIONS.items():
                    one = found.accuracy[condition]
                    if training == trained and one is not None:
                        _point(axes, cell, place, one, is_open=test == "shuffled")
            axes.set_title(f"trained on words {trained}", fontsize=10)
            axes.set_xlabel("test accuracy, %")
            axes.grid(axis="x", alpha=0.25)
        name_lines(panels[0], list(cells))
        look = {"color": INK, "marker": "o", "linestyle": "none"}  # for the legend
        panels[0].plot([], [], label="tested on words in order", **look)
        look["markerfacecolor"] = "none"
        panels[0].plot([], [], label="on shuffled words", **look)
        legend(figure, panels)

    return drawn(draw, "order", 8.4, 1.5 + 0.4 * len(cells))


def _point(axes: Any, cell: str, place: int, one: Reach, *, is_open: bool) -> None:
    look = style(cell, place) | {"capsize": 3}
    if is_open:
        look["markerfacecolor"] = "none"
    height = place + (0.13 if is_open else -0.13)
    bar(axes, height, one.accuracy, one.low, one.high, look)
