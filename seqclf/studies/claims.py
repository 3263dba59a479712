"""What tutorials and papers claim about these cells, each claim with its judge.

A claim names a study and a function that judges the study's findings. One training of
each cell is enough for what is measured inside a model; claims about the cells'
accuracy need several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from seqclf.cells import CELLS, GRU, LSTM, SIMPLE_RNN
from seqclf.comparison.pairs import SIGNIFICANCE
from seqclf.comparison.verdict import title
from seqclf.records import inside, side_by_side, sweeps
from seqclf.studies.intervals import MODELS
from seqclf.studies.memory_tasks import RECALL_SERIES
from seqclf.studies.question import Answer
from seqclf.wording import joined, percent, points, times

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "not decided here"
FAR = 100  # tokens: "long-range"
LEAST_SPAN = 50  # tokens that a gradient must be followed over to be called steady
FEWEST_TEXTS = 10  # whose gradients are measured; fewer give no reliable interval
HALF = 0.5  # of a movement: less is left of what is copied, or dropped
MOST_SHOWN = 0.9  # of its memory, if it hides more than a tenth
PLENTY = 10_000  # training texts from which on data is called plentiful
ALIKE = 1.05  # a smaller ratio of times is no difference that anyone would notice
_TOO_SHORT = f"The texts are too short to tell: {LEAST_SPAN} tokens are needed."
_NOT_BOTH = "LSTM and GRU were not both trained."


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a study says of a claim: SUPPORTED, CONTRADICTED or UNDECIDED.

    `evidence` are the numbers behind it, with their intervals, in a sentence or two.
    """

    verdict: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim: a sentence, the study that tests it, its source by author and year.

    `judge` turns the study's answer into a ruling.
    """

    text: str
    study: str
    source: str
    judge: Callable[[Answer[Any]], Ruling]


def by_interval(low: float | None, high: float | None, bound: float = 0.0) -> str:
    """Returns the verdict on "it is more than `bound`", from an interval of it.

    Without ends, as for a single training, nothing is decided. `bound` is 0 for a
    difference, 1 for a ratio.
    """
    if low is None or high is None:
        return UNDECIDED
    if low > bound:
        return SUPPORTED
    return CONTRADICTED if high < bound else UNDECIDED


def all_of(verdicts: Iterable[str]) -> str:
    """Returns the verdict on a claim about all: one exception contradicts it."""
    found = set(verdicts)
    if CONTRADICTED in found:
        return CONTRADICTED
    return SUPPORTED if found == {SUPPORTED} else UNDECIDED


def _of_one(answer: Answer[Any]) -> str:
    return " One training each." if len(answer.about.seeds) < 2 else ""


def gradients_of_rnn(answer: Answer[inside.GradientsFindings]) -> Ruling:
    """Judges whether a plain RNN's gradients vanish or explode, at any stage."""
    found, cell = answer.findings, SIMPLE_RNN.name
    state = found.memory[cell]
    stages = {stage: at.states[state] for stage, at in found.cells[cell].items()}
    said = [
        f"{stage} {at.verdict}, {times(at.factor, at.factor_low, at.factor_high)}"
        for stage, at in stages.items()
    ]
    verdicts = {at.verdict for at in stages.values()}
    evidence = f"SimpleRNN's gradient over {found.span} tokens: {'; '.join(said)}."
    evidence += _of_one(answer)
    if found.texts < FEWEST_TEXTS:
        return Ruling(UNDECIDED, f"{evidence} Of {found.texts} texts.")
    if verdicts & {"vanishing", "exploding"}:
        return Ruling(SUPPORTED, evidence)
    if found.span < LEAST_SPAN:
        return Ruling(UNDECIDED, f"{evidence} {_TOO_SHORT}")
    return Ruling(CONTRADICTED if verdicts == {"steady"} else UNDECIDED, evidence)


def gradients_of_gates(answer: Answer[inside.GradientsFindings]) -> Ruling:
    """Judges whether more of a gradient comes back through gates, trained."""
    found, said, verdicts = answer.findings, [], []
    for cell, stages in found.against_rnn.items():
        stage, at = list(stages.items())[-1]
        verdicts.append(by_interval(at.low, at.high, bound=1.0))
        said.append(f"{title(cell)} {times(at.ratio, at.low, at.high)}")
    right = [f"{title(cell)} {percent(one)} %" for cell, one in found.accuracy.items()]
    evidence = (
        f"Gradient left over {found.span} tokens, beside SimpleRNN's, {stage}: "
        f"{joined(said)}. Right on test: {joined(right)}.{_of_one(answer)}"
    )
    if found.texts < FEWEST_TEXTS:
        return Ruling(UNDECIDED, f"{evidence} Of {found.texts} texts.")
    if found.span < LEAST_SPAN:
        return Ruling(UNDECIDED, f"{evidence} {_TOO_SHORT}")
    return Ruling(all_of(verdicts), evidence)


def copy_and_drop(answer: Answer[inside.GatesFindings]) -> Ruling:
    """Judges whether z near 1 keeps a GRU's state, and r near 0 drops it."""
    found, said, verdicts = answer.findings, [], []
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
    evidence = f"Over the texts, for these models: {joined(said)}.{_of_one(answer)}"
    return Ruling(all_of(verdicts), evidence)


def hidden_memory(answer: Answer[inside.GatesFindings]) -> Ruling:
    """Judges whether an LSTM's output gate hides more than a tenth of its memory."""
    lstm = answer.findings.cells.get(LSTM.name)
    one = lstm.exposed if lstm else None
    if one is None:
        return Ruling(UNDECIDED, "LSTM was not measured.")
    said = times(one.mean, one.low, one.high)
    evidence = (
        f"Over the texts, for these models: what LSTM shows is {said} as large as what "
        f"it holds; GRU shows all, by its formula.{_of_one(answer)}"
    )
    return Ruling(by_interval(-one.high, -one.low, bound=-MOST_SHOWN), evidence)


def memory_of_gates(answer: Answer[inside.MemoryFindings]) -> Ruling:
    """Judges whether gated cells recall over the longest distance what rnn does not.

    In every variant of the first-token task: how far SimpleRNN gets depends on the
    distances of the training texts and on the embedding initialisation range.
    """
    found, verdicts, said = answer.findings.series, [], []
    recall = [one for name, one in found.items() if name in RECALL_SERIES]
    for series in recall:
        right = []
        for cell, one in series.cells.items():
            right.append(f"{title(cell)} {_far(one)}")
            if one.over_rnn:
                apart = one.over_rnn[-1]
                verdicts.append(by_interval(apart.low, apart.high))
        said.append(f"{series.title}: {joined(right)}")
    distance = recall[0].cells[SIMPLE_RNN.name].accuracy[-1].distance
    evidence = (
        f"Recalled over {distance} tokens, chance {percent(recall[0].chance)} %; "
        f"{'; '.join(said)}.{_of_one(answer)}"
    )
    return Ruling(all_of(verdicts) if distance >= FAR else UNDECIDED, evidence)


def _far(one: inside.CellMemory) -> str:
    value, half = f"{percent(one.accuracy[-1].accuracy)} %", one.half_way
    return value if half is None else f"{value} (half-way to chance at {half:.0f})"


def order(answer: Answer[inside.OrderFindings]) -> Ruling:
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
    said = [
        f"{title(cell)} {points(one.difference, one.low, one.high)}"
        for cell, one in trained.items()
    ]
    evidence = f"Lost where training and test are shuffled: {joined(said)}."
    if any(one.of == MODELS for one in trained.values()):
        return Ruling(UNDECIDED, f"{evidence}{_of_one(answer)}")
    least = min(one.p for one in trained.values())
    evidence += f" Least p, adjusted for {len(trained)} cells: {least:.2g}."
    if any(one.p < SIGNIFICANCE and one.low > 0 for one in trained.values()):
        return Ruling(SUPPORTED, evidence)
    none = all(one.high < 0 for one in trained.values())
    return Ruling(CONTRADICTED if none else UNDECIDED, evidence)


def parameters(answer: Answer[side_by_side.CostFindings]) -> Ruling:
    """Judges the order LSTM, GRU, SimpleRNN of recurrent parameters."""
    counts = answer.findings.recurrent_parameters
    said = [f"{title(cell)} {n:,}" for cell, n in counts.items()]
    cells = [cell.name for cell in (LSTM, GRU, SIMPLE_RNN)]
    ordered = [counts[cell] for cell in cells if cell in counts]
    falls = all(a > b for a, b in zip(ordered, ordered[1:], strict=False))
    verdict = SUPPORTED if falls and len(ordered) > 1 else CONTRADICTED
    return Ruling(verdict, f"Recurrent parameters: {joined(said)}.")


def price_of_gates(answer: Answer[side_by_side.CostFindings]) -> Ruling:
    """Judges whether a gated cell's step takes longer than SimpleRNN's."""
    ratio = answer.findings.step_ratio[SIMPLE_RNN.name]
    # Of SimpleRNN beside GRU: below 1, the gates cost.
    verdict = by_interval(-ratio.high, -ratio.low, bound=-1.0)
    said = times(ratio.median, ratio.low, ratio.high)
    return Ruling(verdict, f"A step of SimpleRNN takes {said} as long as GRU's.")


def speed_of_gru(answer: Answer[side_by_side.CostFindings]) -> Ruling:
    """Judges whether LSTM's step takes longer than GRU's."""
    ratio = answer.findings.step_ratio[LSTM.name]
    said = times(ratio.median, ratio.low, ratio.high)
    evidence = f"A training step of LSTM takes {said} as long as GRU's."
    if ratio.low <= 1 and ratio.high < ALIKE:
        return Ruling(CONTRADICTED, evidence)
    return Ruling(by_interval(ratio.low, ratio.high, bound=1.0), evidence)


def convergence(answer: Answer[side_by_side.ConvergenceFindings]) -> Ruling:
    """Judges whether GRU reaches the same loss in fewer steps than LSTM."""
    hardest = answer.findings.hardest
    if hardest is None:
        return Ruling(UNDECIDED, "Not every training learnt enough to be compared.")
    ratio = hardest.ratio
    said = f"GRU takes {ratio.mean:.2f} times the steps of LSTM"
    where = f"to a validation loss of {hardest.loss:.3f}"
    if ratio.low is None or ratio.high is None:
        return Ruling(UNDECIDED, f"{said} {where}.{_of_one(answer)}")
    evidence = f"{said} ({ratio.low:.2f} to {ratio.high:.2f}) {where}."
    return Ruling(by_interval(-ratio.high, -ratio.low, bound=-1.0), evidence)


def _lstm_over_gru(
    pairs: Sequence[sweeps.SizePair],
) -> tuple[float, float, float] | None:
    """Returns difference, low and high of LSTM over GRU, if it was measured."""
    by_cells = {(one.a, one.b): one for one in pairs}
    if one := by_cells.get((LSTM.name, GRU.name)):
        return one.difference, one.low, one.high
    one = by_cells.get((GRU.name, LSTM.name))
    return (-one.difference, -one.high, -one.low) if one else None


def plenty(answer: Answer[sweeps.SizeFindings]) -> Ruling:
    """Judges whether LSTM is ahead of GRU with the most training texts."""
    found = answer.findings
    apart, most = _lstm_over_gru(found.pairs), max(found.sizes)
    if apart is None:
        return Ruling(UNDECIDED, _NOT_BOTH)
    _, low, high = apart
    evidence = f"LSTM less GRU with {most:,} texts: {points(*apart)}."
    if found.seeds == 1:
        return Ruling(UNDECIDED, evidence + _of_one(answer))
    if most < PLENTY:
        return Ruling(UNDECIDED, f"{evidence} Plenty begins at {PLENTY:,}.")
    return Ruling(by_interval(low, high), evidence)


def overfitting(answer: Answer[sweeps.SizeFindings]) -> Ruling:
    """Judges whether LSTM's train-validation gap is larger than GRU's."""
    gaps = answer.findings.gaps
    if gaps is None:
        return Ruling(UNDECIDED, _NOT_BOTH)
    said = points(gaps.mean, gaps.low, gaps.high)
    said = f"LSTM's gap between train and validation, less GRU's: {said}"
    if gaps.low is None:
        return Ruling(UNDECIDED, f"{said}.{_of_one(answer)}")
    evidence = f"{said}, over seeds alone, on these texts."
    return Ruling(by_interval(gaps.low, gaps.high), evidence)


def sensitivity(answer: Answer[sweeps.TrialsFindings]) -> Ruling:
    """Judges whether the same trials scatter differently for two of the cells."""
    found = answer.findings
    spreads = [f"{title(one.cell)} {100 * one.deviation:.1f}" for one in found.spreads]
    evidence = (
        f"Distance of validation accuracy from its median (the mean, times "
        f"n / (n − 1)) over {found.draws} settings, the same for each cell, points: "
        f"{joined(spreads)}."
    )
    known = [one.p for one in found.differences if one.p is not None]
    if known:
        evidence += f" Least p, adjusted for {len(known)} pairs: {min(known):.2g}."
    apart = any(p < SIGNIFICANCE for p in known)
    evidence += " One training for each cell and setting."
    return Ruling(SUPPORTED if apart else UNDECIDED, evidence)


def variants(answer: Answer[sweeps.VariantsFindings]) -> Ruling:
    """Judges whether a variant of the network is better than the plain one."""
    found = answer.findings
    compared = [(one, one.apart) for one in found.variants if one.apart]
    told = [(one, apart) for one, apart in compared if apart.p < SIGNIFICANCE]
    better = [(one, apart) for one, apart in told if apart.difference > 0]
    best, most = max(better or compared, key=lambda pair: pair[1].difference)
    said = points(most.difference, most.low, most.high)
    evidence = (
        f"Of {len(compared)} comparisons with the plain network the best: "
        f"{title(best.cell)}, {best.variant}: {said}"
    )
    if found.seeds == 1:
        return Ruling(UNDECIDED, f"{evidence}.{_of_one(answer)}")
    evidence += f", adjusted p = {most.p:.2g}."
    if better:
        return Ruling(SUPPORTED, evidence)
    all_worse = len(told) == len(compared)
    return Ruling(CONTRADICTED if all_worse else UNDECIDED, evidence)


def wins(answer: Answer[side_by_side.WinsFindings]) -> Ruling:
    """Judges whether GRU is ahead of LSTM on more data sets than chance makes it."""
    found = answer.findings
    first, second, p = found.first, found.second, found.p
    evidence = f"GRU ahead on {first}, LSTM on {second} of {found.data_sets} data sets"
    if p is None:
        return Ruling(UNDECIDED, f"{evidence}.")
    evidence += f" (sign test p = {p:.2g})."
    if p >= SIGNIFICANCE:
        return Ruling(UNDECIDED, evidence)
    return Ruling(SUPPORTED if first > second else CONTRADICTED, evidence)


CLAIMS: tuple[Claim, ...] = (
    Claim("The gradients of a plain RNN vanish or explode.", "gradients",
          "Hochreiter 1991; Bengio et al. 1994", gradients_of_rnn),
    Claim("Gates cure it: more of the gradient comes back.", "gradients",
          "Hochreiter & Schmidhuber 1997; Cho et al. 2014", gradients_of_gates),
    Claim("z near 1 copies the old state, r near 0 drops it.", "gates",
          "Cho et al. 2014", copy_and_drop),
    Claim("LSTM hides part of its memory, GRU shows its whole state.", "gates",
          "Chung et al. 2014", hidden_memory),
    Claim("Gates keep long-range dependencies.", "memory",
          "Hochreiter & Schmidhuber 1997", memory_of_gates),
    Claim("The order of words matters here.", "order", "the explainers", order),
    Claim("LSTM has the most parameters, GRU fewer, SimpleRNN fewest.", "cost",
          "Chung et al. 2014", parameters),
    Claim("Gates cost time.", "cost", "Chung et al. 2014", price_of_gates),
    Claim("GRU is faster than LSTM.", "cost", "Chung et al. 2014", speed_of_gru),
    Claim("GRU converges in fewer steps than LSTM.", "convergence",
          "Chung et al. 2014", convergence),
    Claim("LSTM is better where data is plentiful.", "size", "the explainers", plenty),
    Claim("LSTM overfits more than GRU.", "size", "the explainers", overfitting),
    Claim("The cells differ in sensitivity to their settings.", "sensitivity",
          "Greff et al. 2017", sensitivity),
    Claim("Recurrent layers stack: more than one, or the other direction, helps.",
          "depth", "the explainers", variants),
    Claim("They combine with convolution and attention to advantage.", "mix",
          "Zhou et al. 2015; Yang et al. 2016", variants),
    Claim("GRU is slightly ahead of LSTM in many uses.", "wins",
          "Jozefowicz et al. 2015", wins),
)  # fmt: skip
