"""The short names of data sets on the Hugging Face Hub.

A new one is one entry in `HUB_NAMES`. The ids could not be checked against the Hub when
this was written; columns, labels and splits are read from what a data set says of
itself, and the entries are hints only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass

from seqclf.errors import DataError, unknown


@dataclass(frozen=True, slots=True)
class HubName:
    """A data set on the Hub that has a short name here.

    Its id is OWNER/NAME. No subset takes the only one or the default. A column, or
    several of texts, separated by commas, is passed over where the data set has none.
    """

    id: str
    about: str
    subset: str | None = None
    text_column: str | None = None
    label_column: str | None = None


HUB_NAMES: dict[str, HubName] = {
    "imdb": HubName("stanfordnlp/imdb",
        "50,000 film reviews, good or bad, and 50,000 without labels (Maas 2011)"),
    "ag_news": HubName("fancyzhx/ag_news",
        "127,600 news items on 4 subjects (Zhang 2015)"),
    "sst2": HubName("SetFit/sst2",  # stanfordnlp/sst2 hides its test labels
        "9,613 sentences of film reviews, good or bad (Socher 2013)"),
    "rotten_tomatoes": HubName("cornell-movie-review-data/rotten_tomatoes",
        "10,662 sentences of film reviews, good or bad (Pang & Lee 2005)"),
    "trec": HubName("SetFit/TREC-QC",  # CogComp/trec is a loading script
        "5,952 questions, 6 kinds of answer (Li & Roth 2002)",
        label_column="label_coarse"),
    "yelp_polarity": HubName("fancyzhx/yelp_polarity",
        "598,000 reviews of businesses, good or bad (Zhang 2015)"),
    "amazon_polarity": HubName("fancyzhx/amazon_polarity",
        "4,000,000 reviews of products, good or bad (Zhang 2015)",
        text_column="title,content"),
    "dbpedia_14": HubName("fancyzhx/dbpedia_14",
        "630,000 summaries of encyclopedia entries, 14 kinds (Zhang 2015)",
        text_column="title,content"),
    "emotion": HubName("dair-ai/emotion",
        "20,000 short messages, 6 emotions (Saravia 2018)"),
    "banking77": HubName("mteb/banking77",
        "13,083 questions to a bank, 77 intents (Casanueva 2020)"),
    "20newsgroups": HubName("SetFit/20_newsgroups",
        "18,846 postings to 20 news groups (Lang 1995)"),
    "tweet_sentiment": HubName("cardiffnlp/tweet_eval",
        "59,899 tweets: negative, neutral, positive (Rosenthal 2017)",
        subset="sentiment"),
}  # fmt: skip

# Hints of a data set that is in no table.
NO_HINTS = HubName("", "")


def entry_of(source: str, subset: str | None) -> HubName:
    """Returns what a short name or `owner/name` stands for, in the subset given."""
    entry = HUB_NAMES.get(source, HubName(source, ""))
    return dataclasses.replace(entry, subset=subset) if subset else entry


def name_of(source: str, entry: HubName) -> str:
    """Returns the short name for runs; another subset than the usual is part of it."""
    name = source.rpartition("/")[2]
    usual = HUB_NAMES.get(source, NO_HINTS).subset
    return name if entry.subset == usual else f"{name}-{entry.subset}"


def words(entry: HubName) -> str:
    """Returns what messages call it: the id, and the subset if there is one."""
    return f"{entry.id}, subset {entry.subset}" if entry.subset else entry.id


def if_local(entry: HubName) -> str:
    """Returns a hint for who meant a path: owner/name looks like one."""
    known = any(entry.id == name.id for name in HUB_NAMES.values())
    return "" if known else f" There is no file or folder {entry.id} here either."


def refuse_subset(entry: HubName, names: Collection[str]) -> None:
    """Refuses a subset that is not there, and none where there are several."""
    if entry.subset and entry.subset not in names:
        choices = unknown(f"subset of {entry.id}:", entry.subset, names)
        raise DataError(f"{choices} Set --subset, or leave it out for the default.")
    if not entry.subset and len(names) > 1:
        raise DataError(
            f"{entry.id} has several subsets: {', '.join(names)}. Choose one with "
            f"--subset."
        )
