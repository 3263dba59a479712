"""Shows explanations, for people or as JSON: which words moved an answer."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from seqclf.cli._screen import clean, stdout
from seqclf.cli.predict.answers import Form, answer_values, dumped, plain_answer
from seqclf.config import UNITS

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from seqclf.explain import Explanation
    from seqclf.runs import AnyRun
    from seqclf.unsure import Tally

SHOWN_WORDS = 10
SMALLEST = 0.005  # of a probability: half a point, less is not shown
BAR = 20
WIDTH = 60  # of the line of blocks
BLOCKS = "▁▂▃▄▅▆▇█"
FOR, AGAINST = "green", "red"


def explain_texts(
    run: AnyRun, batches: Iterable[Sequence[str]], form: Form, tally: Tally
) -> None:
    """Explains text after text; as JSON each is an object on a line."""
    import numpy as np

    from seqclf.classifier import Classifier
    from seqclf.explain import explain, explained_values

    classifier = Classifier.open(run)
    for batch in batches:
        for text in batch:
            explained = explain(classifier, text)
            row, share = explained.effects.probabilities, explained.unknown
            tally.add(row[None], np.full(1, share))
            if form.as_json:
                values = answer_values(form, text, row.tolist(), share)
                if form.thresholds is not None:
                    values["explained"] = form.labels[explained.effects.label]
                line = dumped(values | explained_values(explained))
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
            else:
                show(explained, form)


def show(explained: Explanation, form: Form) -> None:
    """Prints an explanation for people."""
    console = stdout()
    answer = plain_answer(form, explained.effects.probabilities.tolist())
    console.print(answer, markup=False, style="bold")
    label, unit = clean(form.labels[explained.effects.label]), UNITS[explained.kind]
    if not explained.tokens:
        console.print("The text has no words; this is the answer to none.\n")
        return
    shown = most_moving(explained)
    console.print(_words(explained, shown))
    if shown:
        console.print(_table(explained, shown, label))
    else:
        console.print(f"No {unit} alone moves it by half a point.", style="dim")
    console.print(_course(explained, label, unit), style="dim", markup=False)
    for sentence in _left_out(explained, unit):
        console.print(sentence, style="dim", markup=False)
    console.print()


def most_moving(explained: Explanation) -> list[int]:
    """Returns the places of the words to show, those that moved the answer most first.

    At most `SHOWN_WORDS`, and none that moved it by less than `SMALLEST`.
    """
    effects = explained.effects.effects.tolist()
    places = sorted(range(len(effects)), key=lambda i: (-abs(effects[i]), i))
    return [i for i in places[:SHOWN_WORDS] if abs(effects[i]) >= SMALLEST]


def _words(explained: Explanation, shown: Sequence[int]) -> Text:
    """Returns the text as the model reads it; the words that moved it have a sign."""
    from rich.text import Text

    effects = explained.effects.effects.tolist()
    line = Text()
    for place, token in enumerate(explained.tokens):
        if place:
            line.append(" ")
        word = clean(token)
        if place in shown:
            sign = f"[{points(effects[place])}]"
            line.append(word + sign, style=f"bold {_colour(effects[place])}")
        else:
            line.append(word, style="" if explained.known[place] else "dim strike")
    return line


def _table(explained: Explanation, shown: Sequence[int], label: str) -> Table:
    from rich.table import Table
    from rich.text import Text

    effects = explained.effects.effects.tolist()
    table, unit = Table(box=None, pad_edge=False), UNITS[explained.kind]
    table.add_column(unit, overflow="ellipsis", no_wrap=True, max_width=24)
    table.add_column("at", justify="right")
    table.add_column("points", justify="right")
    table.add_column(Text(f"for {label} (+) or against it (−)"), overflow="ellipsis")
    greatest = max(abs(effects[place]) for place in shown)
    for place in shown:
        effect = effects[place]
        bar = "█" * max(round(BAR * abs(effect) / greatest), 1)
        table.add_row(
            Text(clean(explained.tokens[place])),
            str(place + 1),
            Text(points(effect), style=_colour(effect)),
            Text(bar, style=_colour(effect)),
        )
    return table


def points(effect: float) -> str:
    """Returns an effect in points of probability, with its sign."""
    return f"{'+' if effect >= 0 else '−'}{100 * abs(effect):.0f}"


def _colour(effect: float) -> str:
    return FOR if effect >= 0 else AGAINST


def _course(explained: Explanation, label: str, unit: str) -> str:
    effects = explained.effects
    count, place = len(explained.tokens), effects.decided
    word = clean(explained.tokens[place - 1])
    if effects.applies is None:
        since = f"it is {label}"
    else:
        since = f"{label} {'applies' if effects.applies else 'does not apply'}"
    return (
        f"{label}, {unit} by {unit}, 0 to 100 %: {blocks(effects.running.tolist())}\n"
        f"Made up its mind at {unit} {place:,} of {count:,} ({word}): from there on "
        f"{since}."
    )


def blocks(running: Sequence[float]) -> str:
    """Returns probabilities as a line of blocks; of many, the last of each group."""
    width = min(len(running), WIDTH)
    ends = [(column + 1) * len(running) // width - 1 for column in range(width)]
    levels = len(BLOCKS)
    return "".join(BLOCKS[min(int(running[end] * levels), levels - 1)] for end in ends)


def _left_out(explained: Explanation, unit: str) -> Iterator[str]:
    count, read = len(explained.tokens), explained.num_read
    if read > count:
        yield (
            f"Explained are {count:,} of the {read:,} {unit}s that the model reads; "
            f"the answer above is the answer to these."
        )
    elif explained.num_tokens > read:
        yield f"The model reads {read:,} of the {explained.num_tokens:,} {unit}s."
    if not explained.known.all():
        unknown = int((~explained.known).sum())
        yield (
            f"{unit.capitalize()}s it does not know, struck through on a terminal: "
            f"{unknown:,}."
        )
