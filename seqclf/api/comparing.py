"""Comparisons for Python: twins that are trained, or runs that are finished."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from seqclf import keywords
from seqclf.api.logged import Logged
from seqclf.api.options import listening, machines_of, read_options, target_of
from seqclf.cells import DEFAULT_CELLS
from seqclf.cluster.opened import opened
from seqclf.comparison.design import limits_of
from seqclf.comparison.others.given import Given, given_files
from seqclf.comparison.saved import REPORT_FILE, read_details
from seqclf.errors import ConfigError, RunError
from seqclf.keywords import AnyPath, Comparing, of_network, with_options
from seqclf.marker import COMPARISON, kind_of
from seqclf.records.comparison import ComparisonResult, Row
from seqclf.records.training import OnEvent
from seqclf.report.page import drawings, notebook_html, of_rows
from seqclf.report.tables import markdown
from seqclf.runs import Run
from seqclf.runs.comparisons import read_comparison, runs_of
from seqclf.workflows.compare import compare_twins, design_of
from seqclf.workflows.finished import compare_finished
from seqclf.yardstick.asked import yardstick_of

_log = logging.getLogger("seqclf")

AnswerFiles = Mapping[str, AnyPath | Sequence[AnyPath]]  # by the name of their row


@dataclass(frozen=True, slots=True, repr=False)
class Figure:
    """A drawing, which a notebook shows.

    Attributes:
      svg: SVG, in the colour of the text around it.
    """

    svg: str

    def save(self, path: AnyPath) -> None:
        """Writes it into a file, `.svg`."""
        Path(path).write_text(self.svg, encoding="utf-8")

    def __repr__(self) -> str:
        return f"Figure({len(self.svg):,} characters of SVG)"

    def _repr_svg_(self) -> str:
        return self.svg


@dataclass(frozen=True, slots=True)
class Comparison:
    """Twins and baselines side by side.

    In a notebook it shows its verdict, the scores and their figure.

    Attributes:
      result: All that was found, as `comparison.json` holds it: rows, pairs,
        references, verdict, card and more, see `seqclf.records.comparison`.
      path: Its folder; None if runs were compared that were there, without a name.
    """

    result: ComparisonResult
    path: Path | None = None

    @classmethod
    def open(cls, path: AnyPath, models_dir: AnyPath | None = None) -> Comparison:
        """Reads a finished comparison by its path, or by its name within `models_dir`.

        Raises:
          RunError: If there is none, or it is unfinished or damaged.
        """
        given = Path(path)
        folder = keywords.models_folder(models_dir)
        there = given if given.exists() else folder / given
        if not there.exists():
            raise RunError(f"no comparison {str(path)!r}; there is none in {folder}.")
        if kind_of(there) != COMPARISON:
            raise RunError(f"{there} is no comparison.")
        return cls(read_comparison(there), there)

    @property
    def rows(self) -> list[Row]:
        """Cells and baselines: scores, sizes and times of each."""
        return list(self.result.rows)

    @property
    def verdict(self) -> str:
        """What comes of it, in sentences."""
        return self.result.verdict

    @property
    def missing(self) -> dict[str, str]:
        """Why trainings failed, by name; empty if all went well."""
        return dict(self.result.missing)

    @property
    def runs(self) -> list[Run]:
        """The finished runs of the twins, cell by cell."""
        paths = [Path(path) for row in self.result.twins for path in row.runs]
        if self.path is not None:  # the whole folder may have been moved
            paths = [self.path.parent / path.name for path in paths]
        return [Run(path) for path in paths]

    @property
    def report(self) -> Path | None:
        """The page, `report.html`, if it was written."""
        file = None if self.path is None else self.path / REPORT_FILE
        return file if file is not None and file.exists() else None

    def markdown(self) -> str:
        """Returns tables and verdict, as `seqclf compare --markdown` prints them."""
        return markdown(self.result)

    @property
    def figures(self) -> dict[str, Figure]:
        """The figures of the page by name, such as `accuracies`, `costs`, `curves`."""
        details = None if self.path is None else read_details(self.path)
        drawn = drawings(self.result, of_rows(details, self.result))
        return {name: Figure(svg) for name, svg in drawn.items() if svg}

    def _repr_html_(self) -> str:
        return notebook_html(self.result)

    def _repr_markdown_(self) -> str:
        return self.markdown()


@with_options(Comparing)
def compare(  # noqa: PLR0913 -- a keyword for each option
    data: AnyPath = "demo",
    *,
    cells: str | Sequence[str] = DEFAULT_CELLS,
    seeds: int = 3,
    match: str = "units",
    tune: int = 0,
    margin: float = 1.0,
    metric: str = "auto",
    vary: str = "seed",
    folds: int | None = None,
    repeats: int | None = None,
    with_: AnswerFiles | None = None,
    yardstick: AnyPath | None = None,
    yardstick_mode: str | None = None,
    yardstick_seeds: int | None = None,
    jobs: int | None = None,
    page: bool = False,
    on_report: OnEvent | None = None,
    **options: Unpack[Comparing],
) -> Comparison:
    """Trains twins that differ only in the recurrent layer; as `seqclf compare`.

    Trainings run in processes of their own, the seeds of a cell in one. Finished runs
    of equal settings and data are reused. One that fails stops no other: it is listed
    in `missing`.

    Args:
      data: As in `load_dataset`.
      cells: Cells to compare, a sequence or separated by commas.
      seeds: Trainings of each cell.
      match: What the twins have equally many of: `units`, or recurrent `parameters`.
      tune: Trials a cell, of two trainings each, that choose its settings on
        validation; 0 for none.
      margin: Points below which two cells are practically equal; with log loss,
        hundredths of a nat.
      metric: What ranks the cells, `accuracy`, `macro-f1` or `log-loss`; `auto` takes
        accuracy or, where training labels are imbalanced, macro F1.
      vary: What the seeds vary: `seed`, the training alone; `split`, also which texts
        are held out for validation, and which resample of the others is learnt from
        (docs/statistics.md).
      folds: Parts of the texts that are tested on in turn, in place of a test split;
        each is a training of each cell, and other `seeds` are refused.
      repeats: How often the texts are divided anew for folds; None is once.
      with_: Files with the answers of other systems to the test texts, by the names of
        their rows; several files of one are its seeds (docs/statistics.md).
      yardstick: A pre-trained transformer encoder to train beside the twins,
        `hf://OWNER/NAME` or a folder (docs/yardstick.md).
      yardstick_mode: `fine-tune`, which None is too, or `features`.
      yardstick_seeds: Trainings of a fine-tuned yardstick; None is one.
      jobs: Trainings at a time; None takes as many as cores and memory allow.
      page: Whether to write `microscope.html` beside the report (docs/microscope.md).
      on_report: Called with the name of a training and each event of its progress.
      **options: Settings by the names of `seqclf compare`, such as `units`, `epochs`,
        and where the comparison goes, as in `train`. With `until_decided` seeds are
        added, to the cells where they help most, until every pair is decided; `seeds`
        are then the first, `budget` is the time for it, such as `30m` (None has no
        end), and `max_seeds` are the most of a cell (None takes 20). With `cluster`
        other machines train (docs/scale.md).

    Returns:
      The comparison, which is also written, with its page. Where seeds are added, an
      interruption (Ctrl-C) returns what was finished by then.

    Raises:
      ConfigError: If a setting is unknown, out of range, or would do nothing.
      DataError: If the data cannot be used.
      RunError: If the name is taken, or no training was finished.
    """
    config, target, require_cudnn = read_options(data, options, Comparing)
    named = cells if isinstance(cells, str) else ",".join(cells)
    until = limits_of(
        options.get("until_decided", False),
        options.get("budget"),
        options.get("max_seeds"),
    )
    asked_for = (config, named, seeds, match, tune, margin, until, metric, vary)
    source = None if yardstick is None else os.fspath(yardstick)
    beside = yardstick_of(source, yardstick_mode, yardstick_seeds)
    design = design_of(*asked_for, folds, repeats, _given(with_), beside)
    machines = machines_of(options, jobs)
    with (
        listening(options, target, on_report) as listener,
        opened(machines, listener.insist) as cluster,
    ):
        given = of_network(options)
        asked = (design, target, listener, jobs, require_cudnn, given, page)
        result, path = compare_twins(*asked, cluster=cluster)
        listener.finish(runs_of(result, target.models))
    for failed, reason in result.missing.items():
        _log.warning("%s is missing: %s", failed, reason)
    return Comparison(result, path)


@keywords.speaking_python
def compare_runs(  # noqa: PLR0913 -- a keyword for each option
    *finished: Run | AnyPath,
    name: str | None = None,
    overwrite: bool = False,
    margin: float = 1.0,
    metric: str = "auto",
    with_: AnswerFiles | None = None,
    page: bool = False,
    models_dir: AnyPath | None = None,
    cache_dir: AnyPath | None = None,
    on_report: OnEvent | None = None,
) -> Comparison:
    """Compares finished runs, and trains nothing; as `seqclf compare RUN RUN`.

    The baselines are fitted, and the twin without recurrence is added if it is there.

    Args:
      *finished: Two runs or more, themselves, by path, or by name in `models_dir`.
      name: Where in `models_dir` to keep the comparison, with its page; None keeps
        nothing.
      overwrite: Whether the name may be taken from another comparison.
      margin: As in `compare`.
      metric: Likewise.
      with_: Likewise.
      page: Whether to write `microscope.html` beside the report; needs a name.
      models_dir: Folder of the runs; None takes $SEQCLF_MODELS, else `models`.
      cache_dir: Folder of encoded data; None takes $SEQCLF_CACHE, else `data/cache`.
      on_report: Called with the name of a baseline and each event of its progress.

    Returns:
      The comparison; without a name it has no folder.

    Raises:
      ConfigError: If fewer than two are given, or a page without a name.
      RunError: If one is missing or unfinished, they cannot be compared, or the name is
        taken.
    """
    paths = [run.path if isinstance(run, Run) else Path(run) for run in finished]
    if len(paths) < 2:
        raise ConfigError(
            f"compare_runs takes two runs or more, got {len(paths)}; "
            f"Comparison.open(path) reads a finished comparison."
        )
    target = target_of(models_dir, cache_dir, name=name, overwrite=overwrite)
    asked = (paths, target, Logged(on_report), margin, page, metric, _given(with_))
    result, path = compare_finished(*asked)
    return Comparison(result, path)


def _given(named: AnswerFiles | None) -> tuple[Given, ...]:
    """Returns the files of answers that are named, one after the other."""
    pairs = []
    for name, files in (named or {}).items():
        several = [files] if isinstance(files, str | os.PathLike) else files
        pairs += [(name, Path(file)) for file in several]
    return given_files(pairs)
