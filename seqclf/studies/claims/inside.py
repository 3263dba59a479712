"""Judges of what was measured inside a model: gradients, gates, memory, word order."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from seqclf import statistics
from seqclf.cells import CELLS, DENSE, GRU, LSTM, NO_RECURRENCE, SIMPLE_RNN
from seqclf.comparison.said import title
from seqclf.records.estimates import Difference
from seqclf.records.flow import FlowFindings, FlowPoint
from seqclf.records.inside import (
    CellMemory,
    GatesFindings,
    GradientsFindings,
    MemoryFindings,
    OrderFindings,
    SeriesMemory,
    WayBack,
)
from seqclf.studies import memory
from seqclf.studies.claims.ruling import (
    CONTRADICTED,
    EQUAL,
    NOT_JUDGED,
    SUPPORTED,
    UNDECIDED,
    Ruling,
    agreed,
    all_of,
    any_of,
    by_interval,
    by_ratio,
    depends_on,
    of_one,
)
from seqclf.studies.inside import unrolled
from seqclf.studies.inside.flow_shown import said_at
from seqclf.studies.inside.gradients_shown import scientific
from seqclf.studies.intervals import MODELS
from seqclf.studies.memory_tasks import RECALL_SERIES
from seqclf.studies.question import Answer
from seqclf.wording import counted, joined, percent, points, times

T = TypeVar("T")
FAR = 100  # tokens: "long-range"
LEAST_SPAN = 50  # tokens that a gradient must be followed over to be called steady
FEWEST_TEXTS = 10  # whose gradients are measured; fewer give no reliable interval
HALF = 0.5  # of a movement: less is left of what is copied, or dropped
MOST_SHOWN = 0.9  # of its memory, if it hides more than a tenth
ALIKE = 2.0  # a smaller ratio of gradients, which differ by powers of ten, is none
INITIALISATION = "initialisation"
_TOO_SHORT = f"The texts are too short to tell: {LEAST_SPAN} tokens are needed."


def flow_of_rnn(answer: Answer[FlowFindings]) -> Ruling:
    """Judges whether a plain RNN's gradients vanish or explode, before training."""
    points = _each_once(answer.findings.cells[SIMPLE_RNN.name])
    said = [f"{said_at(one)} {_left(one.way)}" for one in points]
    evidence = (
        f"Untrained SimpleRNN, gradient left over {answer.findings.span} tokens: "
        f"{', '.join(said)}."
    )
    verdicts = {one.way.verdict for one in points}
    if "steady" not in verdicts:
        one = len(verdicts) == 1
        return Ruling(SUPPORTED if one else depends_on(INITIALISATION), evidence)
    always = verdicts == {"steady"}
    return Ruling(CONTRADICTED if always else depends_on(INITIALISATION), evidence)


def _each_once(points: Sequence[FlowPoint]) -> list[FlowPoint]:
    """Returns the settings; the usual one, which is on each dial, once."""
    usual = [one for one in points if one.is_usual]
    return [one for one in points if not one.is_usual or one is usual[0]]


def _left(way: WayBack) -> str:
    return f"{scientific(way.factor)} ({way.verdict})"


def flow_of_gates(answer: Answer[FlowFindings]) -> Ruling:
    """Judges whether an untrained gated cell brings back more than a plain RNN."""
    found, said, verdicts = answer.findings, [], []
    plain = {(one.dial, one.value): one.way for one in found.cells[SIMPLE_RNN.name]}
    usual = next(one.way for one in found.cells[SIMPLE_RNN.name] if one.is_usual)
    for cell, settings in found.cells.items():
        if unrolled.inside_of(cell).keeps is None:
            continue
        more = less = 0
        for one in _each_once(settings):
            beside = plain.get((one.dial, one.value), usual)
            more += one.way.factor_low > beside.factor_high
            less += one.way.factor_high < beside.factor_low
        verdicts += [SUPPORTED] * bool(more) + [CONTRADICTED] * bool(less)
        said.append(f"{title(cell)} more in {more} settings, less in {less}")
    evidence = f"Untrained, gradient left beside SimpleRNN's: {'; '.join(said)}."
    return Ruling(agreed(verdicts or [UNDECIDED], INITIALISATION), evidence)


def gradients_of_gates(answer: Answer[GradientsFindings]) -> Ruling:
    """Judges whether more of a gradient comes back through gates, trained."""
    found, said, verdicts = answer.findings, [], []
    for cell, stages in found.against_rnn.items():
        stage, at = list(stages.items())[-1]
        verdicts.append(by_ratio(at.low, at.high, ALIKE))
        said.append(f"{title(cell)} {times(at.ratio, at.low, at.high)}")
    right = [f"{title(cell)} {percent(one)} %" for cell, one in found.accuracy.items()]
    evidence = (
        f"Gradient left over {found.span} tokens, beside SimpleRNN's, {stage}: "
        f"{joined(said)}. Right on test: {joined(right)}.{of_one(answer)}"
    )
    if found.texts < FEWEST_TEXTS:
        return Ruling(NOT_JUDGED, f"{evidence} Of {found.texts} texts.")
    if found.span < LEAST_SPAN:
        return Ruling(NOT_JUDGED, f"{evidence} {_TOO_SHORT}")
    if found.guessing:
        return Ruling(NOT_JUDGED, f"{evidence} {_guesses(found.guessing)}")
    return Ruling(all_of(verdicts), evidence)


def _aside(
    cells: Mapping[str, T], guessing: Collection[str]
) -> tuple[str, dict[str, T]]:
    """Returns what is said of cells that may have learnt nothing, and the others."""
    named = [cell for cell in cells if cell in guessing]
    others = {cell: one for cell, one in cells.items() if cell not in guessing}
    said = _guesses(named) if named else ""
    return f"{said} " if said and others else said, others


def _guesses(cells: Collection[str]) -> str:
    named = joined([title(cell) for cell in cells])
    return f"{named} may have learnt nothing: not surely above always guessing."


def copy_and_drop(answer: Answer[GatesFindings]) -> Ruling:
    """Judges whether z near 1 keeps a GRU's state, and r near 0 drops it."""
    found, said, verdicts = answer.findings, [], []
    if GRU.name in found.guessing:
        return Ruling(NOT_JUDGED, _guesses([GRU.name]))
    for one, what, at, there in (
        (found.copying, "the state moves", "z > 0.9", "z < 0.1"),
        (found.dropping, "the old state moves the candidate", "r < 0.1", "r > 0.9"),
    ):
        if one is None:
            return Ruling(UNDECIDED, "GRU was not measured.")
        ratio, low, high = one.ratio, one.low, one.high
        if ratio is None or low is None or high is None:
            return Ruling(UNDECIDED, f"The GRU's {at[0]} is never near both its ends.")
        verdicts.append(by_interval(-high, -low, bound=-HALF))
        far = times(ratio, low, high)
        said.append(f"{what} {far} as far at {at} as at {there}")
    evidence = f"Over the texts, for these models: {joined(said)}.{of_one(answer)}"
    return Ruling(all_of(verdicts), evidence)


def hidden_memory(answer: Answer[GatesFindings]) -> Ruling:
    """Judges whether an LSTM's output gate hides more than a tenth of its memory."""
    lstm = answer.findings.cells.get(LSTM.name)
    one = lstm.exposed if lstm else None
    if one is None:
        return Ruling(UNDECIDED, "LSTM was not measured.")
    if LSTM.name in answer.findings.guessing:
        return Ruling(NOT_JUDGED, _guesses([LSTM.name]))
    said = times(one.mean, one.low, one.high)
    evidence = (
        f"Over the texts, for these models: what LSTM shows is {said} as large as what "
        f"it holds; GRU shows all, by its formula.{of_one(answer)}"
    )
    return Ruling(by_interval(-one.high, -one.low, bound=-MOST_SHOWN), evidence)


def memory_of_gates(answer: Answer[MemoryFindings]) -> Ruling:
    """Judges whether gated cells recall farther back than SimpleRNN.

    By the distance at which recall falls half-way to chance, in every variant of the
    first-token task: how far SimpleRNN gets depends on the distances of the training
    texts and on the embedding initialisation range.
    """
    found = answer.findings.series
    recall = [one for name, one in found.items() if name in RECALL_SERIES]
    said = [
        f"{one.title}: "
        + joined(
            [
                f"{title(cell)} {_far(own, one.chance)}"
                for cell, own in one.cells.items()
            ]
        )
        for one in recall
    ]
    distance = recall[0].cells[SIMPLE_RNN.name].accuracy[-1].distance
    evidence = (
        f"Recall falls half-way to chance, {percent(recall[0].chance)} %, within "
        f"{distance} tokens: {'; '.join(said)}.{of_one(answer)}"
    )
    if distance < FAR:
        return Ruling(NOT_JUDGED, f"{evidence} {FAR} tokens are needed.")
    verdicts = [_farther(series) for series in recall]
    return Ruling(agreed(verdicts, "training texts and initialisation"), evidence)


def _farther(series: SeriesMemory) -> str:
    """Judges a task: whether all gated cells recall farther back than SimpleRNN."""
    plain = _span(series.cells[SIMPLE_RNN.name], series.chance)
    verdicts = []
    for cell, one in series.cells.items():
        if unrolled.inside_of(cell).keeps is None:
            continue
        low, high = _span(one, series.chance)
        if low == plain[0] == math.inf:
            verdicts.append(EQUAL)
        elif low > plain[1]:
            verdicts.append(SUPPORTED)
        else:
            verdicts.append(CONTRADICTED if high < plain[0] else UNDECIDED)
    return all_of(verdicts or [UNDECIDED])


def _span(one: CellMemory, chance: float) -> tuple[float, float]:
    """Returns the interval of the half-way distance: infinite beyond the longest."""
    if not one.learnt:
        return 0.0, 0.0
    _, low, high = memory.half_ways(one.accuracy, chance)
    return low or math.inf, high or math.inf


def _far(one: CellMemory, chance: float) -> str:
    if not one.learnt:
        return "learnt nothing"
    if one.half_way is None:
        return f"does not ({percent(one.accuracy[-1].accuracy)} % at the farthest)"
    low, high = _span(one, chance)
    end = f"{high:.0f}" if high < math.inf else "beyond"
    return f"at {one.half_way:.0f} ({low:.0f} to {end})"


def order(answer: Answer[OrderFindings]) -> Ruling:
    """Judges whether a cell does worse with both training and test texts shuffled.

    Shuffled test texts alone do not count: models trained in order never saw any.
    """
    trained = {
        cell: one.lost
        for cell, one in answer.findings.cells.items()
        if CELLS[cell].recurs and one.lost is not None
    }
    if not trained:
        return Ruling(UNDECIDED, "No cell was trained on shuffled words.")
    guesses, trained = _aside(trained, answer.findings.guessing)
    if not trained:
        return Ruling(NOT_JUDGED, guesses)
    said = [
        f"{title(cell)} {points(one.difference, one.low, one.high)}"
        for cell, one in trained.items()
    ]
    evidence = f"{guesses}Lost where training and test are shuffled: {joined(said)}."
    if any(one.of == MODELS for one in trained.values()):
        return Ruling(UNDECIDED, f"{evidence}{of_one(answer)}")
    least = min(one.p for one in trained.values())
    cells = counted(len(trained), "cell")
    evidence += f" Least p, adjusted for {cells}: {least:.2g}."
    return Ruling(
        any_of((one.low, one.high, one.p) for one in trained.values()), evidence
    )


def recurrence(answer: Answer[OrderFindings]) -> Ruling:
    """Judges whether a recurrent cell beats both twins that do not recur.

    It has to beat the one and the other, so its p is the larger of the two (Berger
    1982, Technometrics 24:295), adjusted by Holm over the cells.
    """
    found = {
        cell: (one.over_none, one.over_dense)
        for cell, one in answer.findings.cells.items()
        if one.over_none is not None and one.over_dense is not None
    }
    others = (NO_RECURRENCE.name, DENSE.name)
    if not found:
        return Ruling(UNDECIDED, f"{joined(others)} were not both trained.")
    guesses, found = _aside(found, answer.findings.guessing)
    if not found:
        return Ruling(NOT_JUDGED, guesses)
    said = [
        f"{title(cell)} {joined([points(o.difference, o.low, o.high) for o in over])}"
        for cell, over in found.items()
    ]
    evidence = f"{guesses}Above {joined(others)}, words in order: {'; '.join(said)}."
    if any(one.of == MODELS for over in found.values() for one in over):
        return Ruling(UNDECIDED, f"{evidence}{of_one(answer)}")
    p_values = statistics.holm([max(one.p for one in over) for over in found.values()])
    evidence += (
        f" {_beaten(found, others)}; least p of beating both, adjusted for "
        f"{counted(len(found), 'cell')}: {min(p_values):.2g}."
    )
    least = [
        (min(one.low for one in over), min(one.high for one in over))
        for over in found.values()
    ]
    told = ((*ends, p) for ends, p in zip(least, p_values, strict=True))
    return Ruling(any_of(told), evidence)


def _beaten(found: Mapping[str, Sequence[Difference]], others: Sequence[str]) -> str:
    """Says which of the others each cell is above, by the intervals."""
    said = []
    for cell, over in found.items():
        below = [o for o, one in zip(others, over, strict=True) if one.low > 0]
        said.append(f"{title(cell)} beats {joined(below) if below else 'neither'}")
    return joined(said)
