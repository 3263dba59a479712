"""What columns are called, and which of them look like texts and labels."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Names under which columns are found, the likeliest first; case does not matter.
TEXT_COLUMNS = (
    "text", "sentence", "review", "content", "comment", "document", "body", "message",
    "tweet", "utterance", "question", "query", "description", "headline", "title",
    "phrase", "post", "article", "news", "sms", "email", "abstract", "summary",
    "verbatim", "feedback", "texts", "txt",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "class", "category", "sentiment", "target", "intent", "topic", "emotion",
    "polarity", "rating", "stars", "score", "labels", "cats", "accept",
)  # fmt: skip
# These say what a column holds; behind them others may hold more of the text.
CERTAIN = TEXT_COLUMNS[: TEXT_COLUMNS.index("tweet")]
NOT_TEXTS = frozenset(
    ("id", "ids", "uuid", "user", "username", "author", "name", "date", "time",
     "timestamp", "url", "link", "lang", "language", "count", "length", "index")
)  # fmt: skip
WORD = re.compile(r"[^\W\d_]+|\d+")
# Scripts whose words are not set apart by spaces.
UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
NAMED_WEIGHT = 4  # a column with a name of texts counts as if it had more words
FEWEST_WORDS = 3.0  # on average, for a column without such a name
MOST_LABELS = 200
TEXT, LABEL = "text", "label"


def plain(name: str) -> str:
    """Returns a name as names are compared: without blanks around it, in lower case."""
    return name.strip("\ufeff \t\u00a0").lower()


def words_of(name: str) -> list[str]:
    """Returns the words of a name: `OriginalTweet`, `comment_text`, `Review Text`."""
    return [word.lower() for word in WORD.findall(CAMEL.sub(" ", name))]


def is_like(name: str, likely: Sequence[str]) -> bool:
    """Tells whether the last word of a name is one of some."""
    words = words_of(name)
    return 0 < len(words) <= 3 and words[-1] in likely


def ends_otherwise(name: str) -> bool:
    """Tells whether a name ends as those of ids, users, dates and the like do."""
    words = words_of(name)
    return bool(words) and words[-1] in NOT_TEXTS


def known_kinds(fields: Sequence[str]) -> set[str]:
    """Tells which of texts and labels have a name among some fields."""
    kinds = {TEXT: TEXT_COLUMNS, LABEL: LABEL_COLUMNS}
    return {k for k, likely in kinds.items() if any(is_like(f, likely) for f in fields)}


def parts_of(column: str | None, there: Sequence[str]) -> list[str]:
    """Returns the names in `a,b`, or the one name, should a column be called so."""
    if column is None:
        return []
    return [column] if column in there else [n.strip() for n in column.split(",")]


def count_words(value: str) -> int:
    """Counts words; each sign of a script that writes no spaces is one."""
    return len(value.split()) + len(UNSPACED.findall(value))


def likeliest(rows: Sequence[Sequence[str]]) -> tuple[int, list[int]]:
    """Returns which columns hold texts and labels, by content alone.

    Args:
      rows: Rows of equal width, one at least.

    Returns:
      The place of the column of the longest texts, of those that mostly differ; and
      those of the others that may hold labels, the likeliest first: those with few
      values, then those that repeat some, then the rest.
    """
    width = len(rows[0])
    columns = list(zip(*(row for row in rows if len(row) == width), strict=True))
    counts = [len(set(column)) for column in columns]
    words = [sum(map(count_words, column)) for column in columns]
    differ = [i for i in range(width) if 2 * counts[i] > len(columns[i])]
    text = max(differ or range(width), key=words.__getitem__)

    def doubt(place: int) -> tuple[bool, bool, bool, int]:
        count, size = counts[place], len(columns[place])
        has_blanks = not all(map(str.strip, columns[place]))
        repeats = count > 1 and 2 * count <= size
        return has_blanks, not repeats, count == size, count

    return text, sorted((i for i in range(width) if i != text), key=doubt)
