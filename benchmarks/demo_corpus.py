"""Prints the figures of the built-in corpus `demo`.

Run as ``python benchmarks/demo_corpus.py [--cells]``; with ``--cells`` it also trains
the twins on the corpus, by the default recipe, and tries them on the film reviews of
``../shared/data/mr`` where they are there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from seqclf.data.demo import corpus as demo
from seqclf.data.demo import grammar

WORDS = r"\w+(?:'\w+)*"
REAL_REVIEWS = Path(__file__).parents[2] / "shared" / "data" / "mr"
PERCENTILES = (0, 5, 25, 50, 75, 95, 100)


def show(name: str, figure: object) -> None:
    """Prints one line of the report."""
    print(f"{name:<44}{figure}")  # noqa: T201


def percentiles(numbers: Iterable[int]) -> str:
    """Returns the percentiles of some numbers as one line."""
    values = np.percentile(list(numbers), PERCENTILES)
    return "  ".join(
        f"p{percent} {value:.0f}"
        for percent, value in zip(PERCENTILES, values, strict=True)
    )


def distinct_share(texts: Iterable[str], size: int = 4) -> float:
    """Returns the share of distinct token n-grams among all of them."""
    grams = []
    for text in texts:
        tokens = grammar.TOKEN.findall(text.lower())
        grams += list(zip(*(tokens[start:] for start in range(size)), strict=False))
    return len(set(grams)) / len(grams)


def linear_accuracy(
    train: list[demo.Review], test: list[demo.Review]
) -> dict[float, float]:
    """Returns the accuracy of TF-IDF and logistic regression for two values of C."""
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=WORDS
    )
    known = vectorizer.fit_transform([review.text for review in train])
    unknown = vectorizer.transform([review.text for review in test])
    labels = [review.label for review in train]
    truth = [review.label for review in test]
    return {
        c: float(
            LogisticRegression(C=c, max_iter=1000)
            .fit(known, labels)
            .score(unknown, truth)
        )
        for c in (1.0, 10.0)
    }


def count_clauses() -> int:
    """Counts the clause patterns of all domains."""
    return sum(
        len(fillers)
        for groups in grammar.load("patterns.toml")["clauses"].values()
        for patterns in groups.values()
        for fillers in patterns.values()
    )


def content_words() -> set[str]:
    """Returns the different words of four letters or more in the lexicon."""
    lines = [
        line
        for kinds in grammar.load("lexicon.toml").values()
        for lists in kinds.values()
        for line in lists.values()
    ]
    tokens = grammar.TOKEN.findall(" ".join(lines).lower())
    return {token for token in tokens if len(token) > 3}


def show_corpus(seed: int = demo.SEED) -> None:
    """Prints the figures of the texts alone."""
    start = time.perf_counter()
    demo.generate(seed)
    seconds = time.perf_counter() - start
    splits = demo.compose_all(seed)
    reviews = [review for split in splits.values() for review in split]
    texts = {name: {review.text for review in split} for name, split in splits.items()}
    shared = sum(map(len, texts.values())) - len(set().union(*texts.values()))
    within = len(reviews) - sum(map(len, texts.values()))
    show("clause patterns", count_clauses())
    show("content words", len(content_words()))
    show("texts", {name: len(split) for name, split in splits.items()})
    show("duplicates within a split", within)
    show("texts in more than one split", shared)
    share = distinct_share(review.text for review in splits["test"])
    show("distinct 4-grams, test", f"{share:.1%}")
    lengths = (grammar.count_tokens(review.text) for review in reviews)
    show("length in tokens", percentiles(lengths))
    tails = percentiles(review.tail for review in reviews)
    show("tokens after the last deciding sentence", tails)
    show("seconds to generate", f"{seconds:.2f}")
    size = len(splits["test"])
    for c, accuracy in linear_accuracy(splits["train"], splits["test"]).items():
        show(f"TF-IDF + LR, C={c:g}, test accuracy", f"{accuracy:.1%} (n={size})")


def seqclf(folder: str, *arguments: str) -> Any:
    """Calls the command line as a user would and returns its JSON."""
    command = [sys.executable, "-m", "seqclf", *arguments, "--json", "--quiet"]
    done = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def show_cells() -> None:
    """Trains the twins, and prints how they do here and on real film reviews."""
    with tempfile.TemporaryDirectory() as folder:
        result = seqclf(folder, "compare", "--seeds=1")
        for row in result["rows"]:
            figure = f"{row['accuracy']['mean']:.1%} (n={row['n']})"
            show(f"{row['name']}, test accuracy", figure)
        for cell in ("gru", "lstm") if REAL_REVIEWS.exists() else ():
            scores = seqclf(
                folder, "evaluate", f"demo-{cell}-0", f"--data={REAL_REVIEWS}"
            )
            figure = f"{scores['accuracy']:.1%} (n={scores['n']})"
            show(f"{cell} of demo on the test split of mr", figure)


if __name__ == "__main__":
    show_corpus()
    if "--cells" in sys.argv[1:]:
        show_cells()
