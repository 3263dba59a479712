"""What lecturer and students read: a sheet each, and an overview."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from seqclf import config as settings
from seqclf import keywords
from seqclf.cells import CELLS
from seqclf.classroom.questions import Question, questions
from seqclf.config import RunConfig, twin
from seqclf.records.classroom import Assignment, Student
from seqclf.records.dataset import DatasetInfo
from seqclf.report.table import Table, in_markdown, to_markdown
from seqclf.wording import counted

SHEETS = "sheets"


def sheet_names(assignment: Assignment) -> list[str]:
    """Returns the file of each student's sheet, such as `sheets/07-ada-lovelace.md`."""
    width = len(str(len(assignment.students)))
    names = (_plain(student.name) for student in assignment.students)
    return [
        f"{SHEETS}/{place:0{width}}{name and f'-{name}'}.md"
        for place, name in enumerate(names, 1)
    ]


def command(assignment: Assignment, student: Student) -> str:
    """Returns what a student types to train."""
    config = settings.of_run(assignment.recipe)
    options = keywords.as_options(config, ("cell", "seed"))
    own = ["--cell", student.cell, "--seed", str(student.seed), "--keep-states"]
    return shlex.join(["seqclf", "train", *options, *own])


def sheet(
    assignment: Assignment, student: Student, about: DatasetInfo, own: str | None
) -> str:
    """Returns a student's sheet, in Markdown.

    Args:
      assignment: What all are asked.
      student: Whose sheet it is.
      about: The data.
      own: The lecturer's questions, in Markdown; None takes those of `questions`.
    """
    config = _config(assignment, student)
    run = f"{about.name}-{student.cell}-{student.seed}"
    asked = own or _numbered([one.text for one in questions(config, about)])
    return f"""# {in_markdown(student.name)}

You train a text classifier with {CELLS[student.cell].title} on `{about.name}`:
{counted(about.sizes["train"], "training text")}, {len(about.labels)} labels. \
Everybody trains the same recipe, and nobody else has seed {student.seed}.

## Train

```
{command(assignment, student)}
```

It writes the run `models/{run}`, with the weights before and after every epoch. If it \
is interrupted, type the same again.

## Answer

{asked.strip()}

## Hand in

The whole folder `models/{run}`, as it is, and your answers. `seqclf classroom grade` \
computes what your seed gives and trains some of your epochs again. A run is as good \
as its recipe and its seed make it: a low accuracy is no fault. Check it before:

```
seqclf classroom grade {run}
```
"""


def overview(assignment: Assignment, about: DatasetInfo, own: str | None) -> str:
    """Returns the lecturer's page: who trains what, answers, and what to type."""
    files = sheet_names(assignment)
    rows = [
        (student.name, student.cell, str(student.seed), file)
        for student, file in zip(assignment.students, files, strict=True)
    ]
    header = ("student", "cell", "seed", "sheet")
    table = to_markdown(Table(header=header, rows=tuple(rows), numbers=(2,)))
    versions = ", ".join(f"{k} {v}" for k, v in assignment.versions.items())
    answers = "" if own else f"\n## Answers\n\n{_answers(assignment, about)}\n"
    return f"""# Assignment on {about.name}

{counted(len(assignment.students), "student")}, data of fingerprint \
{assignment.fingerprint}. Written with {versions}; who trains with the same versions \
on the same kind of processor can be graded bit for bit.

{table}
{answers}
## When the runs are there

With this folder as `assignment` and the runs below `handed-in`:

```
seqclf classroom grade handed-in --assignment assignment
seqclf compare --pool handed-in --name class
```

For another class take another `--first-seed`, so that no run of this one fits.
"""


def _answers(assignment: Assignment, about: DatasetInfo) -> str:
    """Returns the answers that are known beforehand, cell by cell."""
    parts = []
    for cell in dict.fromkeys(student.cell for student in assignment.students):
        student = next(one for one in assignment.students if one.cell == cell)
        known = questions(_config(assignment, student), about)
        parts.append(f"### {cell}\n\n{_numbered([_answered(one) for one in known])}")
    return "\n\n".join(parts)


def _answered(question: Question) -> str:
    return f"{question.text} **{question.answer}**"


def _config(assignment: Assignment, student: Student) -> RunConfig:
    return twin(settings.of_run(assignment.recipe), student.cell, student.seed)


def _numbered(lines: Sequence[str]) -> str:
    return "\n".join(f"{place}. {line}" for place, line in enumerate(lines, 1))


def _plain(name: str) -> str:
    """Returns a name as part of a file's name, in letters and digits; may be empty."""
    return re.sub(r"\W+", "-", name.lower()).strip("-")[:40]
