"""`seqclf export` as a function."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from seqclf.errors import ConfigError, unknown
from seqclf.export import FORMATS, About, Artefact, export
from seqclf.export.microscope import (
    MICROSCOPE,
    MICROSCOPE_FILE,
    Microscope,
    export_microscope,
)
from seqclf.runs import AnyRun, Mean, Run, members_of
from seqclf.steps import Listener
from seqclf.wording import counted

ALL = "all"
QUANTIZED = {"int8": "onnx-int8"}
NAMES = tuple(name for name in FORMATS if name not in QUANTIZED.values())
EXPORTS = Path("exports")
UNKNOWN = About()
PAGE = (MICROSCOPE, "page")  # the format of several runs, by both its names


def formats_of(formats: Sequence[str], quantize: str | None = None) -> list[str]:
    """Returns the formats to write, each once.

    `formats` are of `NAMES`, or `all`; `quantize` is `int8` for 8-bit weights in ONNX.

    Raises:
      ConfigError: If there is no such format, or none that can be quantized.
    """
    for format in formats:
        if format not in (*NAMES, ALL):
            raise ConfigError(unknown("format", format, (*NAMES, ALL, MICROSCOPE)))
    names = list(NAMES) if ALL in formats else list(dict.fromkeys(formats))
    if quantize is None:
        return names
    if quantize not in QUANTIZED:
        raise ConfigError(unknown("--quantize", quantize, QUANTIZED))
    if "onnx" not in names:
        raise ConfigError(
            f"--quantize {quantize} is for onnx, got --format {', '.join(names)}; use "
            f"--format onnx."
        )
    if ALL in formats:
        return [*names, QUANTIZED[quantize]]
    return [QUANTIZED[quantize] if name == "onnx" else name for name in names]


def is_page(formats: Sequence[str]) -> bool:
    """Tells whether the page is asked for, which is of several runs, not of one.

    Raises:
      ConfigError: If other formats are asked for as well.
    """
    asked = set(formats)
    if asked & {*PAGE} and asked - {*PAGE}:
        raise ConfigError(
            f"--format {MICROSCOPE} is a page of several runs and no format of one, "
            f"got {', '.join(formats)}; export it alone."
        )
    return bool(asked & {*PAGE})


def about_of(license: str, languages: str | None) -> About:
    """Returns what the model cards shall say, of texts such as `mit` and `en,de`.

    Raises:
      ConfigError: If the card could not say it.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", license):
        raise ConfigError(
            f"--license takes an identifier such as apache-2.0 or mit, got {license!r}."
        )
    if languages and not re.fullmatch(r"[a-z]{2,3}(,[a-z]{2,3})*", languages):
        raise ConfigError(
            f"--language takes codes such as en or en,de, got {languages!r}."
        )
    codes = tuple(languages.split(",")) if languages else ()
    return About(license=license, languages=codes)


def export_run(
    run: AnyRun,
    names: Sequence[str],
    listener: Listener,
    cache: Path,
    output: Path | None = None,
    about: About = UNKNOWN,
    overwrite: bool = False,
) -> list[Artefact]:
    """Writes a run in other formats, each checked in a fresh process, see `export`.

    `names` are formats, see `formats_of`; test texts of the run are taken from `cache`
    if its data is still there; `output` is the folder of the artefact, or of several,
    None takes `exports/RUN`; `about` is what the model cards say.

    Returns:
      The artefacts, in the order of `names`.

    Raises:
      ConfigError: If a format cannot hold this model.
      RunError: If a folder is taken, or an artefact differs too much from the run.
    """
    for member in members_of(run):
        if member.is_linear:
            _refuse_networks_formats(member, names)
    if isinstance(run, Mean) and any(FORMATS[name].is_lossy for name in names):
        raise ConfigError("--quantize is for one run, and not for a mean of several.")
    places = {name: (output or EXPORTS / run.name) / name for name in names}
    if output is not None and len(names) == 1:
        places = {names[0]: output}
    left = [name for name in names if overwrite or not places[name].exists()]
    if left:
        listener.note(f"Writing, opening and comparing: {', '.join(left)}.")
    made, several = [], run.dataset.has_several
    for artefact in export(run, places, about, cache, overwrite):
        listener.note(_told(artefact, "labels" if several else "label"))
        made.append(artefact)
    return sorted(made, key=lambda artefact: names.index(artefact.record.format))


def export_page(
    runs: Sequence[AnyRun],
    listener: Listener,
    cache: Path,
    output: Path | None = None,
    overwrite: bool = False,
) -> Microscope:
    """Writes several runs, or one, into one offline page, see `export_microscope`.

    `output` is the folder of the page, None takes `exports/DATA/microscope` or, of one
    run, `exports/RUN/microscope`; test texts are taken from `cache`.

    Raises:
      ConfigError: If one is a mean.
      RunError: If the runs do not fit together, or the folder is taken.
    """
    for run in runs:
        if isinstance(run, Mean):
            raise ConfigError(
                f"{run.name} is a mean, which has no states of its own; name its runs "
                f"one by one: {' '.join(member.name for member in run.members)}."
            )
    alone = [run for run in runs if isinstance(run, Run)]
    name = alone[0].name if len(alone) == 1 else alone[0].dataset.name
    place = output or EXPORTS / name / MICROSCOPE
    if overwrite or not place.exists():
        listener.note(f"Writing and comparing {counted(len(alone), 'twin')}.")
    made = export_microscope(alone, place, cache, overwrite)
    listener.note(_page_told(made))
    return made


def _page_told(made: Microscope) -> str:
    path, record = made.path / MICROSCOPE_FILE, made.record
    if made.is_reused:
        return f"{path} is there already, of these runs: reused"
    texts = counted(record.sentences, "text")
    held = f" and {texts} of the test split" if record.sentences else ""
    return (
        f"{path} holds the vocabulary{held}: whoever has it can read them. Token "
        f"vectors are in {record.vectors}."
    )


def _refuse_networks_formats(run: Run, names: Sequence[str]) -> None:
    for name in names:
        if not FORMATS[name].takes_linear:
            fitting = ", ".join(n for n, form in FORMATS.items() if form.takes_linear)
            raise ConfigError(
                f"{run.name} is a linear model, which {name} does not hold; use "
                f"--format {fitting}."
            )


def _told(artefact: Artefact, label: str = "label") -> str:
    path, record = artefact.path, artefact.record
    if artefact.is_reused:
        return f"{path} is there already, of this run and settings: reused"
    told = (
        f"{path}: differs by {record.greatest_difference:.2g} at most (may by "
        f"{record.bound:g}), same {label} for {100 * record.label_agreement:.2f} % of "
        f"{record.texts} texts"
    )
    if not FORMATS[record.format].is_lossy:
        return told
    if record.test is None:
        return (
            f"{told}; the loss in accuracy could not be measured: the run's data is "
            f"not in the cache"
        )
    before, after = record.test.run.accuracy, record.test.artefact.accuracy
    return f"{told}; test accuracy {100 * after:.2f} % instead of {100 * before:.2f} %"
