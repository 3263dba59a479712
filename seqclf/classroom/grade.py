"""Whether runs are what their config, data and seed give: `seqclf classroom grade`.

A run is read as data: nothing that it holds is executed, see `states` and
`model.keras_file`. Its checks are made in a process of its own, cheap ones first, and
end with the first that differs. What this machine computes with other versions of the
packages than the run names calls none altered.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqclf import config as settings
from seqclf import steps
from seqclf.classroom import answered, replayed, written
from seqclf.classroom.agreement import AGREES, DIFFERS, UNDECIDED, undecided
from seqclf.classroom.case import Case, open_case, other_versions
from seqclf.config import RunConfig, twin
from seqclf.engine import Report, Task, run_tasks
from seqclf.errors import SeqclfError
from seqclf.records.classroom import Assignment, Finding, Grade
from seqclf.runs import Run, files
from seqclf.steps import Listener
from seqclf.text.encoding import open_encoded

HONEST, ALTERED, CANNOT_TELL = "honest", "altered", "cannot tell here"
CHECKS = (
    written.of_text,
    written.of_epochs,
    written.of_proof,
    replayed.of_first_state,
    replayed.of_losses,
    replayed.of_model,
    answered.of_answers,
    replayed.of_replay,
)
NOT_CHECKED = (
    "Not checked: who typed the command, who wrote the answers, and times, memory and "
    "other figures of environment.json that no score depends on."
)


@dataclass(frozen=True, slots=True)
class Grading:
    """A run to be checked, in a process of its own, on an encoded data set.

    `replay` epochs are trained again, None for all, drawn by the seed `draw`.
    """

    run: Path
    encoded: Path
    replay: int | None
    draw: int


def grade(
    finished: Sequence[Run],
    assignment: Assignment | None,
    replay: int | None,
    draw: int,
    cache: Path,
    listener: Listener,
) -> Iterator[Grade]:
    """Grades runs, one after the other.

    Args:
      finished: What was handed in; they may be a stranger's.
      assignment: What was asked; None checks runs against their own config.
      replay: Epochs to train again, at least 1; None for all.
      draw: The seed by which they are drawn.
      cache: Folder of encoded data.
      listener: Hears which run is looked at.

    Yields:
      A grade a run, in their order.
    """
    for run in finished:
        listener.note(f"{run.path}: checked …")
        yield _grade(run, assignment, replay, draw, cache)


def _grade(
    run: Run, assignment: Assignment | None, replay: int | None, draw: int, cache: Path
) -> Grade:
    student = written.student_of(run, assignment) if assignment else None
    findings = [written.of_files(run)]
    if assignment is not None and _goes_on(findings):
        findings.append(written.of_assignment(run, assignment, student))
    if _goes_on(findings):
        findings += _obstacles(run)
    outcome = _Outcome()
    if all(finding.result == AGREES for finding in findings):
        config = _asked(run, assignment)
        findings += _on_data(run, config, assignment, (replay, draw), cache, outcome)
    return Grade(
        run=str(run.path),
        student=student.name if student else None,
        verdict=verdict(findings),
        findings=tuple(findings),
        replayed=outcome.replayed,
        otherwise=outcome.otherwise,
    )


def verdict(findings: Sequence[Finding]) -> str:
    """Returns what follows: one that differs is enough, and all agree if honest."""
    results = {finding.result for finding in findings}
    if DIFFERS in results:
        return ALTERED
    return CANNOT_TELL if UNDECIDED in results else HONEST


def decisive(grade: Grade) -> Finding | None:
    """Returns the finding on which a verdict rests; None where all agree."""
    for result in (DIFFERS, UNDECIDED):
        for finding in grade.findings:
            if finding.result == result:
                return finding
    return None


@dataclass(slots=True)
class _Outcome:
    """What the process of a grading tells besides its findings."""

    replayed: tuple[int, ...] = ()
    otherwise: tuple[str, ...] = ()


def _goes_on(findings: Sequence[Finding]) -> bool:
    return findings[-1].result != DIFFERS


def _obstacles(run: Run) -> list[Finding]:
    """Returns why a run's training cannot be followed here, if it cannot."""
    config, what = run.config, "training"
    if run.is_linear:
        return [undecided(what, "a linear model has no epochs to replay")]
    if not config.start.is_random or config.training.taught is not None:
        why = "it began with weights or lessons from elsewhere, which are not replayed"
        return [undecided(what, why)]
    if not (run.path / files.STATES_FOLDER).is_dir():
        why = "it kept no states: seqclf train --keep-states keeps them"
        return [undecided(what, why)]
    return []


def _asked(run: Run, assignment: Assignment | None) -> RunConfig:
    """Returns the config whose data is read: the lecturer's, not the student's path."""
    if assignment is None:
        return dataclasses.replace(run.config, data=run.data)
    config = run.config
    asked = settings.of_run(assignment.recipe)
    return twin(asked, config.model.cell, config.training.seed)


def _on_data(
    run: Run,
    config: RunConfig,
    assignment: Assignment | None,
    drawing: tuple[int | None, int],
    cache: Path,
    outcome: _Outcome,
) -> list[Finding]:
    """Reads the data again, and makes the checks that need it."""
    try:
        data = steps.load_and_encode(config, cache, None)
    except SeqclfError as error:
        return [undecided(written.DATA, f"could not be read here: {error}")]
    finding = written.of_data(run, data.about)
    same_files = data.about.fingerprint == run.dataset.fingerprint
    if finding.result == DIFFERS and assignment is None and not same_files:
        why = f"{config.data.source} is otherwise here: {finding.expected}"
        return [undecided(written.DATA, why)]
    if finding.result == DIFFERS:
        return [_softened(finding, run)]
    return [finding, *_in_process(Grading(run.path, data.path, *drawing), outcome)]


def _in_process(grading: Grading, outcome: _Outcome) -> Iterator[Finding]:
    """Yields the findings of a process of its own, and why it ended, if it failed."""
    found: list[Finding] = []

    def hear(index: int, told: Finding | _Outcome) -> None:
        if isinstance(told, Finding):
            found.append(told)
        else:
            outcome.replayed, outcome.otherwise = told.replayed, told.otherwise

    with tempfile.TemporaryDirectory() as folder:
        task = Task(examine, grading, Path(folder) / files.LOG_FILE)
        for done in run_tasks([task], on_report=hear):
            if done.error:
                found.append(undecided("the checks", f"they failed: {done.error}"))
    yield from found


def examine(grading: Grading, report: Report) -> None:
    """Makes the checks that need the data, and reports each; in a subprocess."""
    run, data = Run(grading.run), open_encoded(grading.encoded)
    case = open_case(run, data, grading.replay, grading.draw)
    report(_Outcome(case.replayed, case.otherwise))
    for finding in _findings(case):
        report(_softened(finding, run))
        if finding.result == DIFFERS:
            return


def _softened(finding: Finding, run: Run) -> Finding:
    """Returns a finding that does not blame a run for what other versions compute."""
    if finding.result != DIFFERS or not other_versions(run):
        return finding
    return dataclasses.replace(finding, result=UNDECIDED)


def _findings(case: Case) -> Iterator[Finding]:
    for check in CHECKS:
        try:
            yield from check(case)
        except SeqclfError as error:  # of a file that is not what it should be
            what = check.__name__.removeprefix("of_").replace("_", " ")
            yield Finding(
                what=what, result=DIFFERS, expected="a usable file", came=str(error)
            )
