"""What a comparison asks: which cells, how often, and what is held equal."""

from __future__ import annotations

import bisect
import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass

from seqclf import config as settings
from seqclf.cells import CELLS
from seqclf.comparison.draws import SEED, SPLIT, VARY_NAMES
from seqclf.comparison.metric import ACCURACY, AUTO, require_metric
from seqclf.comparison.others import given
from seqclf.comparison.pairs import MARGIN
from seqclf.comparison.ranges import OF_MODEL, OF_TRAINING
from seqclf.config import ModelConfig, RunConfig, fold_of, twin
from seqclf.errors import ConfigError, unknown
from seqclf.model.build import recurrent_parameters
from seqclf.wording import joined
from seqclf.yardstick import asked

UNITS, PARAMETERS = MATCH_NAMES = ("units", "parameters")
# Trainings of each trial of tuning. No comparison has these seeds, so that no setting
# is chosen for a lucky one.
TUNING_SEEDS = (1000, 1001)
# Raised whenever as many trials try something else: 1, which is not kept, was one
# training a trial, of learning rate, dropout and units.
TUNING = 2
MOST_APART = 0.01  # of matched parameters, a fraction
MOST_UNITS = 1 << 14
MOST_SEEDS = 20  # unless --max-seeds says otherwise
NOT_WITH_FOLDS = {
    "--vary split": "folds vary what is learnt from by themselves",
    "--until-decided": "more seeds take nothing from what the folds have in common",
    "--tune": "settings would be chosen on texts that other folds test on",
    "--teach": "a teacher learnt from texts that other folds test on",
    "--with": "a file has the answers to one test split",
    "--yardstick": "it is trained on one division of the texts, and dear to train",
}
_UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where a comparison ends that adds seeds until its pairs are decided.

    Attributes:
      max_seeds: Seeds that a cell may have. The plan of looks is made for so many:
        more cost the early looks power, fewer leave more pairs open.
      budget_seconds: Time for trainings; None without an end.
    """

    max_seeds: int = MOST_SEEDS
    budget_seconds: float | None = None


def parse_budget(text: str) -> float:
    """Returns the seconds of a time such as `90s`, `30m` or `1.5h`.

    Raises:
      ConfigError: If it is none, or 0.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not seconds:
        raise ConfigError(f"--budget takes a time such as 90s, 30m or 2h, got {text}.")
    return seconds


def limits_of(
    until_decided: bool, budget: str | None = None, max_seeds: int | None = None
) -> Limits | None:
    """Returns where a comparison ends that adds seeds; None where it has its seeds.

    Raises:
      ConfigError: If an end is given without `until_decided`, or is none.
    """
    if not until_decided:
        for option, given in (("--budget", budget), ("--max-seeds", max_seeds)):
            if given is not None:
                raise ConfigError(
                    f"{option} {given} says where --until-decided ends; give both."
                )
        return None
    seconds = None if budget is None else parse_budget(budget)
    most = MOST_SEEDS if max_seeds is None else max_seeds
    return Limits(max_seeds=most, budget_seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """The question of a comparison.

    Attributes:
      config: The recipe; cell and seed are replaced.
      cells: Cells to compare.
      seeds: Training seeds, each for all cells.
      match: `units`: all cells are equally wide; `parameters`: they have equally many
        parameters in their layers, as in Chung et al. 2014 (arXiv:1412.3555).
      tune: Trials a cell that choose its settings on validation, see `tuning`; 0 for
        none. Units are among them unless parameters are matched.
      margin: Points below which a difference is practically none; of log loss,
        hundredths of a nat.
      metric: What ranks the cells: a metric, or `auto`, see `metric.ranked_by`.
      vary: What the seeds vary: `seed`, the training alone; `split`, also which texts
        are held out for validation, and which resample of the others is learnt from.
      folds: Parts of the texts that are tested on in turn, one a seed, see
        `DataConfig.fold`; None tests on the test split.
      until: Where it ends, if seeds are added until all pairs are decided; `seeds` are
        then the first. None has these seeds and no others.
      others: Files with the answers of other systems, which stand beside the cells.
      yardstick: A pre-trained encoder to train beside them; None is none.
    """

    config: RunConfig
    cells: tuple[str, ...]
    seeds: tuple[int, ...]
    match: str = UNITS
    tune: int = 0
    margin: float = 100 * MARGIN
    until: Limits | None = None
    metric: str = AUTO
    vary: str = SEED
    folds: int | None = None
    others: tuple[given.Given, ...] = ()
    yardstick: asked.Yardstick | None = None

    def __post_init__(self) -> None:
        if self.match not in MATCH_NAMES:
            raise ConfigError(unknown("--match", self.match, MATCH_NAMES))
        self._check_vary()
        if self.tune < 0 or self.tune == 1:
            raise ConfigError(
                f"--tune takes 0, or at least 2 trials to choose from, got {self.tune}."
            )
        most = range(self.until.max_seeds) if self.until else ()
        if self.tune and {*TUNING_SEEDS} & {*self.seeds, *most}:
            raise ConfigError(
                f"--tune chooses by trainings with the seeds "
                f"{joined([*map(str, TUNING_SEEDS)])}, which then cannot be compared; "
                f"take at most {min(TUNING_SEEDS)} --seeds."
            )
        require_margin(self.margin)
        require_metric(self.metric)
        self._check_until()
        self._check_yardstick()
        with_layer = [cell for cell in self.cells if CELLS[cell].has_layer]
        if self.match == PARAMETERS and len(with_layer) < 2:
            raise ConfigError(
                "--match parameters needs two cells with a layer; there is nothing to "
                f"match in {', '.join(self.cells)}."
            )

    def _check_vary(self) -> None:
        if self.vary not in VARY_NAMES:
            raise ConfigError(unknown("--vary", self.vary, VARY_NAMES))
        self._check_folds()
        if self.vary == SEED:
            return
        if self.config.data.resample is not None:
            raise ConfigError(
                f"--resample {self.config.data.resample} is one draw for all seeds, "
                f"and --vary split draws anew for each; leave one of them out."
            )
        if self.config.training.teach is not None:
            raise ConfigError(
                "--teach and --vary split exclude each other: a teacher was trained on "
                "one division of the data, and knows what other seeds hold out."
            )
        if self.yardstick is not None:
            raise ConfigError(
                "--yardstick and --vary split exclude each other: it is trained on one "
                "division of the data, and the cells would learn from others."
            )

    def _check_folds(self) -> None:
        if self.folds is None:
            if self.config.data.fold is not None:
                raise ConfigError(
                    f"--fold {self.config.data.fold} is one part; compare tests on "
                    f"all of them in turn: --folds {fold_of(self.config.data.fold)[1]}."
                )
            return
        if self.folds < 2:
            raise ConfigError(f"--folds takes two parts or more, got {self.folds}.")
        for option, is_asked in (
            ("--vary split", self.vary == SPLIT),
            ("--until-decided", self.until is not None),
            ("--tune", self.tune > 0),
            ("--teach", self.config.training.teach is not None),
            ("--with", bool(self.others)),
            ("--yardstick", self.yardstick is not None),
        ):
            if is_asked:
                raise ConfigError(
                    f"--folds and {option} exclude each other: "
                    f"{NOT_WITH_FOLDS[option]}."
                )

    def _check_until(self) -> None:
        if self.until is None:
            return
        if len(self.cells) < 2:
            raise ConfigError(
                f"--until-decided needs two cells to tell apart, got "
                f"{', '.join(self.cells)}; name another with --cells."
            )
        if len(self.seeds) < 2:
            raise ConfigError(
                f"--until-decided begins with 2 --seeds at least, for one tells "
                f"nothing of a cell, got {len(self.seeds)}."
            )
        if self.until.max_seeds < len(self.seeds):
            raise ConfigError(
                f"--max-seeds {self.until.max_seeds} is less than the "
                f"{len(self.seeds)} --seeds to begin with."
            )

    def _check_yardstick(self) -> None:
        if self.yardstick is None:
            return
        name = self.yardstick.name
        if given.is_taken(name) or name in {one.name for one in self.others}:
            raise ConfigError(
                f"{name} is what another row is called, and the yardstick's would be, "
                f"after its folder; give the folder, or the other row, another name."
            )
        if self.yardstick.seeds > 1 and len(self.seeds) == 1:
            raise ConfigError(
                f"--yardstick-seeds {self.yardstick.seeds} beside --seeds 1 would show "
                f"the mean of all and compare one of each; give --seeds 2 or more."
            )

    @property
    def chosen(self) -> tuple[str, ...]:
        """Settings in which the twins may differ because the comparison chose them."""
        names = {"model.units"} if self.match == PARAMETERS else set()
        if self.tune:
            names |= {f"model.{name}" for name in OF_MODEL}
            names |= {f"training.{name}" for name in OF_TRAINING}
        return tuple(sorted(names))

    def question(
        self, fingerprint: object, metric: str = ACCURACY.name
    ) -> dict[str, object]:
        """Returns plain values that tell this comparison from others on the data.

        That has a fingerprint, and ranks by a metric.
        """
        recipe = {
            part: {k: v for k, v in values.items() if k not in ("cell", "seed")}
            for part, values in settings.question(self.config).items()
        }
        tuning = {"tuning": TUNING} if self.tune else {}
        # Looks decide for good, by a margin and a metric that were there before.
        looks: dict[str, object] = {"until_decided": self.margin} if self.until else {}
        if looks and metric != ACCURACY.name:
            looks["metric"] = metric
        vary: dict[str, object] = {} if self.vary == SEED else {"vary": self.vary}
        if self.folds is not None:
            vary["folds"] = self.folds
        return (
            recipe
            | tuning
            | looks
            | vary
            | given.question(self.others)
            | asked.question(self.yardstick)
            | {
                "cells": list(self.cells),
                "seeds": list(self.seeds),
                "match": self.match,
                "tune": self.tune,
                "fingerprint": fingerprint,
            }
        )


def require_margin(points: float) -> None:
    """Raises ConfigError unless a margin is between 0 and 100 points."""
    if not 0 < points < 100:
        raise ConfigError(f"--margin takes points between 0 and 100, got {points:g}.")


def parse_cells(text: str) -> tuple[str, ...]:
    """Reads a list such as `rnn,gru`; a name twice or unknown is refused."""
    cells = tuple(cell.strip() for cell in text.split(","))
    for cell in cells:
        if cell not in CELLS:
            raise ConfigError(unknown("cell", cell, CELLS))
    if len(set(cells)) < len(cells):
        raise ConfigError(f"--cells names a cell twice: {text}.")
    return cells


def twins(design: Design, config: RunConfig | None = None) -> dict[str, RunConfig]:
    """Returns a config for each cell, of the first seed; without one, the design's own.

    Raises:
      ConfigError: If no units make the parameters match.
    """
    recipe = config or design.config
    alike = {cell: twin(recipe, cell, design.seeds[0]) for cell in design.cells}
    if design.match == UNITS:
        return alike
    models = matched([one.model for one in alike.values()])
    return {
        cell: dataclasses.replace(one, model=model)
        for (cell, one), model in zip(alike.items(), models, strict=True)
    }


def matched(models: Sequence[ModelConfig]) -> list[ModelConfig]:
    """Returns the models with units that make the parameters of their layers equal.

    The model with the most parameters keeps its units, or takes the nearest number
    that the others can match; they become wider. One without a layer stays.

    Raises:
      ConfigError: If nothing near brings all within 1 %: so few units are too coarse.
    """
    largest = max(models, key=recurrent_parameters)
    if not recurrent_parameters(largest):
        return list(models)
    most = largest.units  # up to a quarter away, the nearest first
    reach = range(most - most // 4, most + most // 4 + 1)
    for units in sorted(reach, key=lambda near: (abs(near - most), near)):
        target = recurrent_parameters(dataclasses.replace(largest, units=units))
        near = [_nearest(model, target) for model in models]
        counts = [n for n in map(recurrent_parameters, near) if n]
        if max(counts) <= (1 + MOST_APART) * min(counts):
            return near
    raise ConfigError(
        f"with about {largest.units} units the recurrent parameters of the cells "
        f"cannot be brought within 1 % of each other; take more --units."
    )


def _nearest(model: ModelConfig, target: int) -> ModelConfig:
    """Returns the model with the units whose parameters are nearest to a target."""
    if not recurrent_parameters(model):
        return model

    def parameters(units: int) -> int:
        return recurrent_parameters(dataclasses.replace(model, units=units))

    # They grow with the units, so that all up to `enough` are fewer than the target.
    enough = bisect.bisect_left(range(1, MOST_UNITS), target, key=parameters) + 1
    around = [units for units in (enough - 1, enough) if units > 0]
    best = min(around, key=lambda units: abs(parameters(units) - target))
    return dataclasses.replace(model, units=best)
