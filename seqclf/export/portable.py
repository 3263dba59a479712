"""The text rules as an artefact tells them, for any language to carry out.

Its tokenizer.json says each pattern once more, in the form that is not RE2's alone.
"""

from __future__ import annotations

import json

from seqclf.config import TextConfig
from seqclf.text.portable import portable
from seqclf.text.tokens import rules_to_json
from seqclf.text.vocabulary import kept_ends


def portable_rules(config: TextConfig) -> dict[str, object]:
    """Returns `rules_to_json` with what an engine other than RE2 needs.

    Each replacement gets `portable`, its pattern for Python's `re` and, with the flags
    g and u, for JavaScript's RegExp; `head` and `tail` are `kept_ends`.
    """
    rules = rules_to_json(config)
    steps = [
        step | {"portable": portable(step["replace"])} if "replace" in step else step
        for step in rules["steps"]
    ]
    head, tail = kept_ends(config)
    return rules | {"steps": steps, "head": head, "tail": tail}


def portable_json(config: TextConfig) -> str:
    """Returns `portable_rules` as JSON in ASCII."""
    return json.dumps(portable_rules(config), indent=2) + "\n"
