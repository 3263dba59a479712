"""Shows which words moved an answer: `seqclf predict --explain`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from seqclf.cli._screen import clean, stdout
from seqclf.cli.predict.answers import answer_values, dumped, plain_answer

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from seqclf.explain import Explanation
    from seqclf.runs import Run

SHOWN_WORDS = 10
SMALLEST = 0.005  # of a probability: half a point, less is not shown
BAR = 20
WIDTH = 60  # of the line of blocks
BLOCKS = "▁▂▃▄▅▆▇█"
FOR, AGAINST = "green", "red"


def explain_texts(
    run: Run, batches: Iterable[Sequence[str]], top: int, as_json: bool
) -> None:
    """Explains text after text.

    Args:
      run: The run that answers.
      batches: The texts.
      top: How many labels to show.
      as_json: Whether to print a JSON object a line instead.
    """
    from seqclf.classifier import Classifier
    from seqclf.explain import explain

    classifier = Classifier.open(run)
    for batch in batches:
        for text in batch:
            explained = explain(classifier, text)
            if as_json:
                row = explained.effects.probabilities.tolist()
                values = answer_values(run.labels, top, text, row)
                line = dumped(values | explained_values(explained))
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
            else:
                show(explained, run.labels, top)


def explained_values(explained: Explanation) -> dict[str, Any]:
    """Returns an explanation as plain values, as `predict --explain --json` prints."""
    effects = explained.effects
    return {
        "tokens": explained.num_tokens,
        "tokens_read": explained.num_read,
        "tokens_explained": len(explained.tokens),
        "decided_at": effects.decided if explained.tokens else None,
        "words": [
            {"token": token, "known": known, "effect": effect, "running": running}
            for token, known, effect, running in zip(
                explained.tokens,
                explained.known.tolist(),
                effects.effects.tolist(),
                effects.running.tolist(),
                strict=False,
            )
        ],
    }


def show(explained: Explanation, labels: Sequence[str], top: int) -> None:
    """Prints an explanation for people.

    Args:
      explained: A text and what its words do.
      labels: Label names, as the columns of the probabilities.
      top: How many labels to show.
    """
    console = stdout()
    answer = plain_answer(labels, top, explained.effects.probabilities.tolist())
    console.print(answer, markup=False, style="bold")
    label = clean(labels[explained.effects.label])
    if not explained.tokens:
        console.print("The text has no words; this is the answer to none.\n")
        return
    shown = most_moving(explained)
    console.print(_words(explained, shown))
    if shown:
        console.print(_table(explained, shown, label))
    else:
        console.print("No word alone moves it by half a point.", style="dim")
    console.print(_course(explained, label), style="dim", markup=False)
    for sentence in _left_out(explained):
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
    table = Table(box=None, pad_edge=False)
    table.add_column("word", overflow="ellipsis", no_wrap=True, max_width=24)
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


def _course(explained: Explanation, label: str) -> str:
    effects = explained.effects
    count, place = len(explained.tokens), effects.decided
    word = clean(explained.tokens[place - 1])
    return (
        f"{label}, word by word, 0 to 100 %: {blocks(effects.running.tolist())}\n"
        f"Made up its mind at word {place:,} of {count:,} ({word}): from there on it "
        f"is {label}."
    )


def blocks(running: Sequence[float]) -> str:
    """Returns probabilities as a line of blocks; of many, the last of each group."""
    width = min(len(running), WIDTH)
    ends = [(column + 1) * len(running) // width - 1 for column in range(width)]
    levels = len(BLOCKS)
    return "".join(BLOCKS[min(int(running[end] * levels), levels - 1)] for end in ends)


def _left_out(explained: Explanation) -> list[str]:
    sentences = []
    explained_count = len(explained.tokens)
    if explained.num_read > explained_count:
        sentences.append(
            f"Explained are {explained_count:,} of the {explained.num_read:,} words "
            f"that the model reads; the answer above is the answer to these."
        )
    elif explained.num_tokens > explained.num_read:
        sentences.append(
            f"The model reads {explained.num_read:,} of the {explained.num_tokens:,} "
            f"words."
        )
    if not explained.known.all():
        unknown = int((~explained.known).sum())
        sentences.append(
            f"Words it does not know, struck through on a terminal: {unknown:,}."
        )
    return sentences
