"""Which finished runs make a row together, or a mean of some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seqclf import config as settings
from seqclf.cells import CELLS
from seqclf.comparison.fitted import Fitted
from seqclf.config import are_drawn_anew, draw_of, fold_of, twin, undrawn
from seqclf.data.dataset import TEST
from seqclf.errors import RunError
from seqclf.runs import AnyRun, Mean, Run


def group_runs(finished: Sequence[Run]) -> dict[str, list[Run]]:
    """Puts runs that differ in their seed only together, by the name of their row."""
    groups: list[list[Run]] = []
    for run in finished:
        for group in groups:
            asked, config = group[0].config, run.config
            if are_drawn_anew((asked, config)):
                asked, config = undrawn(asked), undrawn(config)
            same_seed = twin(config, config.model.cell, seed_of(group[0]))
            if settings.same_question(asked, same_seed):
                for other in group:
                    _refuse_twin_seeds(run, other)
                group.append(run)
                break
        else:
            groups.append([run])
    places = list(CELLS)
    groups.sort(key=lambda group: places.index(group[0].config.model.cell))
    cells = [group[0].config.model.cell for group in groups]
    return {
        cell if cells.count(cell) == 1 else f"{cell} ({group[0].name})": group
        for cell, group in zip(cells, groups, strict=True)
    }


def _refuse_twin_seeds(run: Run, other: Run) -> None:
    if seed_of(other) == seed_of(run):
        raise RunError(
            f"{other.path} and {run.path} are the same training, seed "
            f"{seed_of(run)} of {run.config.model.cell}; name it once."
        )


def seed_of(run: Run) -> int:
    """Returns the seed that a run was trained with."""
    return run.config.training.seed


def means_with(
    groups: Mapping[str, Sequence[Run]], others: Fitted
) -> dict[str, list[Mean]]:
    """Averages each twin, seed by seed, with a linear model, by the twins' rows.

    That is the one that was fitted on the same draw. Twins that do not lie beside it
    are left out: they could not be named together.
    """
    found = {}
    for name, group in groups.items():
        draws = [draw_of(run.config) for run in group]
        if others.keys() >= {*draws} and are_beside([*group, *others.values()]):
            pairs = zip(group, draws, strict=True)
            found[name] = [Mean((run, others[draw])) for run, draw in pairs]
    return found


def are_beside(group: Sequence[Run]) -> bool:
    """Tells whether all runs lie in one folder, in which names find them together."""
    return len({run.path.parent.resolve() for run in group}) == 1


def tested(group: Sequence[AnyRun]) -> int:
    """Counts the texts that some run of a group was tested on, each fold once."""
    n_of: dict[int, int] = {}
    for run in group:
        number, folds = fold_of(run.config.data.fold or "1/2")
        n_of[(number - 1) % folds] = run.metrics[TEST].n
    return sum(n_of.values())
