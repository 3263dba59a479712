"""The model card of a run on the Hub: how to use it, and what it tells of its data."""

from __future__ import annotations

from seqclf.export.card import (
    LIMITS,
    bullets,
    data_facts,
    introduction,
    limits_of,
    metadata,
    plain,
    recipe,
    score_tables,
    scores,
)
from seqclf.records.export import About
from seqclf.runs import Run
from seqclf.runs.files import SHARED
from seqclf.runs.repository import SCHEME

REVEALED = (
    "No text of the data is here, but `vocabulary.txt` lists words of the training "
    "texts, and `predictions/` has the label, the length and the probabilities of "
    "each validation and test text."
)


def run_card(run: Run, repository: str, about: About) -> str:
    """Returns the README.md of a run on the Hub: a metadata block, then Markdown.

    `run` is the copy that others get, see `write_shared`; `repository` is OWNER/NAME.
    """
    found = scores(run)
    parts = [
        f"---\n{metadata(run, found, about, 'seqclf')}\n---",
        f"# {plain(run.name)}",
        f"{introduction(run)}.",
        "## How to use it",
        _use(f"{SCHEME}{repository}"),
        "## Scores",
        *score_tables(run, found),
        "## Data",
        data_facts(run),
        "## Recipe",
        *recipe(run),
        "## Limits",
        bullets([*limits_of(run), *LIMITS]),
        "## What is here",
        bullets([f"`{name}`: {SHARED[name]}" for name in sorted(run.checksums)]),
        REVEALED,
    ]
    return "\n\n".join(parts) + "\n"


def _use(named: str) -> str:
    return (
        f"With seqclf installed:\n\n```\nseqclf predict --run {named} "
        f'"a text" "another one"\n```\n\nOr from Python:\n\n```python\n'
        f'from seqclf import Classifier\n\nclassifier = Classifier.open("{named}")\n'
        f'print(classifier.predict(["a text", "another one"]))\n```\n\n'
        f"Behind the name `@` and a commit, a tag or a branch open what was there "
        f"then. seqclf reads these files as data, and runs none."
    )
