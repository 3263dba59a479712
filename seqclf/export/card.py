"""The model card: what a stranger should know before using an artefact."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from seqclf import config as settings
from seqclf.cells import CELLS
from seqclf.config import CHAR, SUBWORD, WORD
from seqclf.data.dataset import TEST
from seqclf.export.card_scores import Score, scores
from seqclf.export.formats import FORMATS, litert_lengths
from seqclf.export.loading import code_of
from seqclf.records.export import About, Agreement
from seqclf.runs import AnyRun, Mean, Run, members_of
from seqclf.wording import joined

TASK, TASK_NAME = "text-classification", "Text classification"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_MARKS = re.compile(r"([\\`*_\[\]|~$]|^\s*[#+>-])")
_MOST_LABELS = 50  # in the table of labels
MULTI_LABEL = "multi-label-classification"  # as the Hub's data sets call it
APPLIES = (
    "A text is right in subset accuracy if all its labels are. Each label applies from "
    "a probability of its own on: that of its greatest F1 on validation, or 0.5 if few "
    "texts there have it."
)
MEAN_APPLIES = (
    "The mean takes the means of its models' probabilities and of these numbers."
)

ONE = (
    "It knows the labels of its training data and nothing else: every text gets one "
    "of them, whatever it is about."
)
SEVERAL = (
    "It knows the labels of its training data and nothing else: a text gets some of "
    "them or none, whatever it is about."
)
LIMITS = (
    "The scores hold for texts like those of the test split. On other texts, of "
    "another time or source, they may be far lower.",
    "Whether labels or texts are biased was not examined. Do not let it alone decide "
    "about people.",
)


def model_card(run: AnyRun, name: str, agreement: Agreement, about: About) -> str:
    """Returns the README.md of an artefact: a metadata block, then Markdown.

    Names and labels come from data; they are escaped. `name` is the format, a key of
    `FORMATS`.
    """
    found = scores(run)
    parts = [
        f"---\n{metadata(run, found, about, FORMATS[name].library, name)}\n---",
        f"# {plain(run.name)}",
        f"{introduction(run)}, exported as {name}.",
        "## How to load it",
        _loading(run, name),
        "## Scores",
        *score_tables(run, found),
        "## Data",
        data_facts(run),
        "## Recipe",
        *recipe(run),
        "## Limits",
        bullets([*_limits_of(run, name), *general_limits(run)]),
        "## This file against the run it was made from",
        _agreement(run, name, agreement),
    ]
    return "\n\n".join(parts) + "\n"


def plain(text: object) -> str:
    """Returns a text for Markdown, in which it means nothing but itself."""
    marked = _MARKS.sub(r"\\\1", _CONTROLS.sub(" ", str(text)))
    return marked.replace("&", "&amp;").replace("<", "&lt;")


def metadata(
    run: AnyRun, found: Sequence[Score], about: About, library: str, *tags: str
) -> str:
    """Returns the metadata block, YAML, by the Hub's own library.

    `library` is what the Hub calls the one that opens the model; `tags` are added.
    """
    from huggingface_hub import EvalResult, ModelCardData

    data, hub_id = run.dataset, _hub_id(run)
    several = data.has_several
    results = [
        EvalResult(
            task_type=TASK,
            task_name=TASK_NAME,
            dataset_type=hub_id or "local",
            dataset_name=data.name,
            dataset_split="test",
            dataset_revision=data.revision,
            metric_type=score.type,
            metric_value=round(score.value, 6),
            metric_name=f"{score.name} (95 % interval {_reach(score)})",
        )
        for score in found
    ]
    card = ModelCardData(
        license=about.license,
        language=list(about.languages) or None,
        library_name=library,
        pipeline_tag=TASK,
        tags=[TASK, "seqclf", _kind(run), *tags, *([MULTI_LABEL] if several else [])],
        datasets=[hub_id] if hub_id else None,
        metrics=list(dict.fromkeys(score.type for score in found)),
        model_name=run.name,
        eval_results=results,
    )
    return str(card.to_yaml())


def _hub_id(run: AnyRun) -> str | None:
    """Returns the id of a data set of the Hugging Face Hub; None of any other."""
    from seqclf.data.hub.names import entry_of

    if run.dataset.revision is None:
        return None
    return entry_of(run.config.data.source, run.config.data.subset).id


def _reach(score: Score) -> str:
    return f"{score.low:.4f} to {score.high:.4f}"


def introduction(run: AnyRun) -> str:
    """Returns what it is and who made it, a text without its full stop."""
    labels = run.labels
    shown = ", ".join(plain(label) for label in labels[:_MOST_LABELS])
    more = f" and {len(labels) - _MOST_LABELS} more" if labels[_MOST_LABELS:] else ""
    kind = " + ".join(map(_title, members_of(run)))
    if isinstance(run, Mean):
        kind = f"the mean of the probabilities of {kind}"
    several = ", of which a text may have several or none" * run.dataset.has_several
    return (
        f"A text classifier ({kind}) with {len(labels)} labels{several}: "
        f"{shown}{more}. Made with seqclf {_versions(run)['seqclf']}"
    )


def _title(run: Run) -> str:
    if run.is_linear:
        return f"{_kind(run)}, a linear model on n-grams"
    cell = CELLS[run.config.model.cell]
    if cell.recurs:
        return cell.title
    return "no recurrent layer" + (f" but {cell.layer}" if cell.has_layer else "")


def _kind(run: AnyRun) -> str:
    """Returns the name of the cell, of the linear model, or of a mean of these."""
    models = [member.config.model for member in members_of(run)]
    return "+".join(model.baseline or model.cell for model in models)


def _versions(run: AnyRun) -> Mapping[str, str]:
    return members_of(run)[0].any_environment.versions


def _loading(run: AnyRun, name: str) -> str:
    form = FORMATS[name]
    text = members_of(run)[0].text
    lengths = joined([str(n) for n in litert_lengths(text.max_length).values()])
    notes = {
        "saved_model": "It takes raw text; the way from text to numbers is inside. A "
        "SavedModel is a program: open only those that you trust.",
        "litert": "It takes one text at a time, its token ids padded with 0 to one of "
        f"the lengths {lengths}; the shortest that holds it is the fastest.",
        "onnx-int8": "8-bit weights: ONNX Runtime measures ranges over a batch, so a "
        "text's probabilities depend a little on the others beside it.",
    }
    before = f"In this folder, after `pip install {form.needs}`:"
    after = '\n\n\nprint(predict(["a text", "another one"]))'
    code = f"```python\n{code_of(run, name).rstrip()}{after}\n```"
    return "\n\n".join(filter(None, (before, code, notes.get(name))))


def score_tables(run: AnyRun, found: Sequence[Score]) -> Iterator[str]:
    """Yields the scores of the test split, and those of each label."""
    test = run.metrics[TEST]
    yield f"On the {test.n:,} texts of the test split, which chose nothing:"
    rows = [(s.name, f"{s.value:.4f}", _reach(s)) for s in found]
    yield _table(("score", "value", "95 % interval"), rows)
    header, labels = ["label", "precision", "recall", "F1", "texts"], []
    for r in test.per_label[:_MOST_LABELS]:
        shares = [f"{value:.4f}" for value in (r.precision, r.recall, r.f1)]
        labels.append([r.label, *shares, f"{r.support:,}"])
    if run.thresholds is not None:
        header.append("applies from")
        for row, least in zip(labels, run.thresholds, strict=False):
            row.append(f"{least:.4f}")
    yield _table(header, labels)
    if run.thresholds is not None:
        yield f"{APPLIES} {MEAN_APPLIES}" if isinstance(run, Mean) else APPLIES
    if len(test.per_label) > _MOST_LABELS:
        yield f"The first {_MOST_LABELS} labels are shown."


def data_facts(run: AnyRun) -> str:
    """Returns what is known of the data."""
    data = run.dataset
    sizes = ", ".join(f"{plain(k)} {v:,}" for k, v in data.sizes.items())
    facts = [
        f"Name: {plain(data.name)}; source: {plain(data.source)}.",
        f"Texts: {sizes}.",
        f"Fingerprint: {plain(data.fingerprint)}.",
    ]
    if data.revision:
        facts.append(f"Revision: {plain(data.revision)}.")
    return bullets([*facts, *map(plain, data.notes)])


def recipe(run: AnyRun) -> Iterator[str]:
    """Yields how it was trained, and every setting."""
    for member in members_of(run):
        if isinstance(run, Mean):
            yield f"### {plain(member.name)}"
        yield from _recipe_of(member)


def _recipe_of(run: Run) -> Iterator[str]:
    versions = ", ".join(f"{k} {v}" for k, v in _versions(run).items())
    if run.is_linear:
        yield plain(versions) + "."
        chosen = run.baseline_environment.chosen
        yield _table(("chosen on validation", "value"), [*chosen.items()])
        return
    of_training = run.environment
    yield (
        f"The best of {of_training.epochs} epochs by validation loss, number "
        f"{of_training.best_epoch}, on {plain(of_training.device)} "
        f"({plain(of_training.kernel)}); {of_training.parameters:,} parameters. "
        f"{plain(versions)}."
    )
    parts = settings.to_dict(run.config)
    rows = [
        (key.replace("_", " "), value)
        for part in ("text", "model", "training")
        for key, value in parts[part].items()
    ]
    yield _table(("setting", "value"), rows)


def _limits_of(run: AnyRun, name: str) -> list[str]:
    coarse = ["Its 8-bit weights make its answers a little coarser."]
    return limits_of(run) + (coarse if name == "onnx-int8" else [])


def limits_of(run: AnyRun) -> list[str]:
    """Returns what it does not read or know, and what it is of no use for."""
    limits = [f"{_reading_of(one)} {_unknown_to(one)}" for one in members_of(run)]
    if isinstance(run, Mean):
        limits = [
            f"{plain(member.name)}: {limit}"
            for member, limit in zip(run.members, limits, strict=True)
        ]
    if run.dataset.name == "demo":
        limits.append("Its training texts are synthetic. It is of no use but to try.")
    return limits


def general_limits(run: AnyRun) -> list[str]:
    """Returns what holds of any such model."""
    return [SEVERAL if run.dataset.has_several else ONE, *LIMITS]


def _reading_of(run: Run) -> str:
    text = run.text
    part = {"head": "its beginning", "tail": "its end", "both": "both its ends"}
    if run.is_linear:
        return "It reads texts whole, and counts n-grams: it knows no order beyond."
    unit = {WORD: "tokens", CHAR: "characters", SUBWORD: "pieces of words"}[text.tokens]
    return (
        f"It reads {text.max_length:,} {unit} of a text; of a longer one it reads "
        f"{part[text.keep]}."
    )


def _unknown_to(run: Run) -> str:
    unit = "word" if run.text.tokens == WORD else "character"
    return (
        f"{unit.capitalize()}s that the training texts did not hold are all one "
        f"unknown {unit} to it."
    )


def _agreement(run: AnyRun, name: str, agreement: Agreement) -> str:
    same = "labels" if run.dataset.has_several else "label"
    return (
        f"Opened in a fresh process by the code above and asked about "
        f"{agreement.texts} texts, ordinary and nasty, it differs from the run by "
        f"{agreement.greatest_difference:.2g} at most in a probability (it may by "
        f"{FORMATS[name].bound:g}) and gives the same {same} to "
        f"{100 * agreement.label_agreement:.2f} % of them. `export.json` has this for "
        f"machines."
    )


def bullets(lines: Sequence[str]) -> str:
    """Returns lines as a list."""
    return "\n".join(f"- {line}" for line in lines)


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header)]
    shown = [[plain(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in [*lines, *shown])
