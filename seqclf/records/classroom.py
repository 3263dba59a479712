"""What a lecturer assigns, and what is found of a run that a student hands in."""

from __future__ import annotations

from dataclasses import dataclass

from seqclf.config.plain import Setting

VERSION = 1  # of `assignment.json`


@dataclass(frozen=True, slots=True, kw_only=True)
class Student:
    """A student, and the cell and seed that no other of the assignment has together."""

    name: str
    cell: str
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What all students train, and who trains which cell and seed; `assignment.json`.

    Attributes:
      data: Name of the data set, and `fingerprint`, which tells its texts and labels.
      recipe: The config, see `config.to_dict`; a student's cell and seed replace its.
      versions: Of the packages that matter for the numbers, where it was written.
    """

    data: str
    fingerprint: str
    recipe: dict[str, dict[str, Setting]]
    students: tuple[Student, ...]
    versions: dict[str, str]
    version: int = VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check of a run found.

    Attributes:
      what: What was checked, in words.
      result: `agrees`, `differs`, or `undecided`.
      expected: What this machine found, or the record says; empty where it agrees.
      came: What the run has.
      distance: How far two sets of numbers are apart; None where only equal will do.
    """

    what: str
    result: str
    expected: str = ""
    came: str = ""
    distance: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What came of the checks of a run.

    Attributes:
      run: Its path.
      student: Whose it is by the assignment; None without one, or if it is nobody's.
      verdict: `honest`, `altered` or `cannot tell here`.
      findings: In the order of the checks; none were made behind one that differs.
      replayed: The epochs that were trained again, from 1.
      otherwise: What is otherwise here than where it was trained, so that numbers are
        compared within tolerances; empty: bit for bit.
    """

    run: str
    student: str | None
    verdict: str
    findings: tuple[Finding, ...]
    replayed: tuple[int, ...] = ()
    otherwise: tuple[str, ...] = ()
