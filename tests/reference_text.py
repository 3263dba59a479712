"""The text rules once more, in plain Python, from their description alone."""

from __future__ import annotations

import re
import unicodedata

# Names of the characters of the scripts that are written without spaces.
UNSPACED = re.compile(
    "CJK |HANGZHOU|IDEOGRAPHIC (ITERATION|NUMBER)|VERTICAL IDEOGRAPHIC"
    "|VIETNAMESE ALTERNATE|OLD CHINESE|HIRAGANA |HENTAIGANA"
    "|KATAKANA (LETTER|ITERATION|VOICED|DIGRAPH)|HALFWIDTH KATAKANA LETTER"
    "|THAI|LAO |KHMER|MYANMAR"
)


def kind(character: str) -> str:
    return unicodedata.category(character)[0]


def tokens(text: str, folding: dict[str, str]) -> list[str]:
    text = re.sub(r"</?[a-zA-Z][^<>]*>", " ", text)
    table = str.maketrans(folding["from"], folding["to"])
    found: list[str] = []
    for word in "".join(" " if kind(c) in "ZC" else c for c in text).split(" "):
        found += word_tokens(word.translate(table))
    return found


def word_tokens(word: str) -> list[str]:
    parts: list[str] = []
    growing = False  # whether the next letter continues the last token
    i = 0
    while i < len(word):
        if is_alone(word, i):
            end = i + 1
            while end < len(word) and kind(word[end]) == "M":
                end += 1
            parts.append(word[i:end])
            i, growing = end, False
        else:
            if growing:
                parts[-1] += word[i]
            else:
                parts.append(word[i])
            i, growing = i + 1, True
    return parts


def is_alone(word: str, i: int) -> bool:
    """A character that starts a token of its own, with the marks behind it."""
    if word[i] == "'" and 0 < i < len(word) - 1:
        return kind(word[i - 1]) not in "LNM" or kind(word[i + 1]) not in "LNM"
    in_unspaced_script = UNSPACED.match(unicodedata.name(word[i], ""))
    return kind(word[i]) not in "LNM" or bool(in_unspaced_script)
