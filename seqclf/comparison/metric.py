"""By what twins are ranked: accuracy, macro F1 or log loss, and how each is told."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seqclf import metrics, several
from seqclf.data.dataset import TEST, TRAIN
from seqclf.errors import ConfigError, unknown
from seqclf.records.comparison import MetricName, Pair, Row
from seqclf.records.dataset import DatasetInfo
from seqclf.runs import AnyRun, Predictions
from seqclf.wording import interval, signed

# From seed to [texts]: values whose mean is a model's score, the more the better. Of
# accuracy they are bool: which test texts it has right.
Values = dict[int, np.ndarray]

AUTO = "auto"
# Below this index of qualitative variation labels are imbalanced: docs/statistics.md
# says why. It is 1 for equally many texts of each label, 0.96 for 60 to 40.
LEAST_VARIATION = 0.95
SEVERAL_WHY = (
    "a text may have several labels, of which accuracy counts those with all right"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A score of a model on a split, which is a mean over its texts.

    Attributes:
      name: As it is typed and saved.
      field: Its name among `Scores`, and of a row.
      title: What sentences call it.
      values: From predictions to a value of each text, [n], of which it is the mean.
      sign: -1 where less is better.
      most: Its greatest value; the least of each is 0.
      scale: What differences are multiplied by for people, then in `unit`.
      digits: Behind the point.
      short: Its unit in the header of a table.
      below: What one is that is not as good.
    """

    name: MetricName
    field: str
    title: str
    values: Callable[[Predictions], np.ndarray]
    sign: int = 1
    most: float = 1.0
    scale: int = 100
    digits: int = 1
    unit: str
    short: str
    below: str = "below"

    def gains(self, group: Sequence[AnyRun]) -> Values:
        """Returns the values of runs on test, by seed, the more the better."""
        return {run.config.training.seed: self.gain(run) for run in group}

    def gain(self, run: AnyRun) -> np.ndarray:
        """Returns the values of a run on test, [n], the more the better."""
        return self.gain_of(run.predictions(TEST))

    def gain_of(self, said: Predictions) -> np.ndarray:
        """Returns the values of some predictions, [n], the more the better."""
        values = self.values(said)
        return values if self.sign > 0 else -values

    def goodness(self, row: Row) -> float:
        """Returns a row's score, the median where trainings failed; more is better."""
        return self.sign * row.score.middle

    @property
    def is_share(self) -> bool:
        """Whether it is between 0 and 1."""
        return self.most == 1.0

    def number(self, value: float) -> str:
        """Returns a score as tables have it, such as `90.1` or `0.312`."""
        return f"{self.scale * value:.{self.digits}f}"

    def span(self, low: float, high: float) -> str:
        """Returns bounds of a score as tables have them, such as `89.1–90.6`."""
        return f"{self.number(low)}–{self.number(high)}"

    def said(self, value: float) -> str:
        """Returns such as `90.1 %`, `macro F1 88.1 %` or `log loss 0.312`."""
        lead = "" if self is ACCURACY else f"{self.title} "
        return f"{lead}{self.number(value)}{' %' if self.scale == 100 else ''}"

    def gap(self, value: float) -> str:
        """Returns a difference as tables have it, such as `−0.4` or `0.012`."""
        return signed(self.scale * value, self.digits)

    def reach(self, low: float, high: float) -> str:
        """Returns the bounds of a difference, such as `−0.4 to 1.0`."""
        return interval(low, high, self.scale, self.digits)

    def size(self, value: float, ends: tuple[float, float] | None = None) -> str:
        """Returns a difference in its unit: `0.3 points (−0.4 to 1.0)` with ends."""
        size = f"{self.gap(value)} {self.unit}"
        return size if ends is None else f"{size} ({self.reach(*ends)})"

    def margin(self, value: float) -> str:
        """Returns a margin in its unit, such as `1 point` or `0.5 points`."""
        scaled = self.scale * value
        one = self.unit.replace("points", "point")
        return f"{scaled:g} {one if scaled == 1 else self.unit}"


ACCURACY = Metric(
    name="accuracy",
    field="accuracy",
    title="accuracy",
    values=lambda said: said.right,
    unit="points",
    short="points",
)
MACRO_F1 = Metric(
    name="macro-f1",
    field="macro_f1",
    title="macro F1",
    values=lambda said: metrics.f1_shares(said.label_ids, said.answers),
    unit="points of macro F1",
    short="points of F1",
)
LOG_LOSS = Metric(
    name="log-loss",
    field="log_loss",
    title="log loss",
    values=lambda said: said.losses,
    sign=-1,
    most=math.inf,
    scale=1,
    digits=3,
    unit="nats of log loss",
    short="nats",
    below="behind",
)
EXAMPLE_F1 = Metric(
    name="example-f1",
    field="example_f1",
    title="example F1",
    values=lambda said: several.example_f1(said.label_ids, said.answers),
    unit="points of example F1",
    short="points of F1",
)
METRICS: dict[str, Metric] = {
    one.name: one for one in (ACCURACY, MACRO_F1, EXAMPLE_F1, LOG_LOSS)
}
NAMES = (AUTO, *METRICS)


def metric_of(one: Row | Pair) -> Metric:
    """Returns what a row or a pair is of."""
    return METRICS[one.metric]


class RankedBy(NamedTuple):
    """The metric that ranks, and why; empty unless it was chosen for the data."""

    metric: Metric
    why: str = ""


def require_metric(name: str) -> None:
    """Raises ConfigError unless a metric, or `auto`, is called so."""
    if name not in NAMES:
        raise ConfigError(unknown("--metric", name, NAMES))


def ranked_by(name: str, data: DatasetInfo) -> RankedBy:
    """Returns the metric of a name; `auto` chooses it by the labels.

    It is accuracy unless the training labels are imbalanced, then macro F1; where a
    text may have several labels, example F1. Where labels were not counted, as by a
    version before, it is accuracy.

    Raises:
      ConfigError: If no metric is called so, or it is not one of such labels.
    """
    if name != AUTO:
        require_metric(name)
        if METRICS[name] is EXAMPLE_F1 and not data.has_several:
            raise ConfigError(
                f"--metric {name} is of texts that may have several labels; these have "
                f"one each: accuracy or macro-f1."
            )
        return RankedBy(METRICS[name])
    if data.has_several:
        return RankedBy(EXAMPLE_F1, SEVERAL_WHY)
    counts = np.array(data.label_counts.get(TRAIN, ()))
    if variation(counts) >= LEAST_VARIATION:
        return RankedBy(ACCURACY)
    share = min(round(100 * counts.max() / counts.sum()), 99)  # others are there too
    commonest = data.labels[int(counts.argmax())]
    return RankedBy(MACRO_F1, f"labels are imbalanced ({share} % {commonest})")


def variation(counts: np.ndarray) -> float:
    """Returns the index of qualitative variation of so many texts of each label.

    K / (K - 1) (1 - Σp²): how often two texts have different labels, beside how often
    they would if all K labels were equally common (Mueller & Schuessler 1961; Wilcox
    1973, Western Political Quarterly 26:325). In [0, 1]; 1 of a single label.
    """
    if len(counts) < 2:
        return 1.0
    shares = counts / counts.sum()
    most = 1 - 1 / len(counts)
    return float((1 - (shares**2).sum()) / most)
