"""The code by which a stranger opens an artefact, and by which it is verified."""

from __future__ import annotations

from importlib import resources

from seqclf.export.formats import FORMATS
from seqclf.runs import AnyRun, Mean

APPLYING = "applying"  # from probabilities and thresholds to labels


def loading_code(name: str, several: bool = False) -> str:
    """Returns the Python code that opens an artefact of a format, without seqclf.

    It is run in the artefact's folder and defines `predict`, from a list of texts to
    their labels and probabilities, float32 [n, labels]. Where a text may have `several`
    labels, a list for each text, the likeliest first.
    """
    form = FORMATS[name]
    if form.takes_text:
        return _loader(form.loader, several)
    return _together([_loader("token_ids"), _loader(form.loader, several)], several)


def code_of(run: AnyRun, name: str) -> str:
    """Returns the code that opens an artefact of a run in a format.

    That of a mean opens its members' folders, each with its own code in `predict.py`.
    """
    several = run.dataset.has_several
    if not isinstance(run, Mean):
        return loading_code(name, several)
    return _together([_loader("mean", several)], several)


def checking_code() -> str:
    """Returns the script that runs loading code on texts and notes the answers."""
    return _loader("check")


def _together(parts: list[str], several: bool) -> str:
    return "\n\n".join([*parts, _loader(APPLYING, several)] if several else parts)


def _loader(name: str, several: bool = False) -> str:
    folder = resources.files("seqclf.export").joinpath("loaders")
    if several:
        folder = folder.joinpath("several")
    return folder.joinpath(f"{name}.py.txt").read_text("utf-8")
