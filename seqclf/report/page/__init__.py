"""The comparison as a page: one file, no network, from saved files only."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from seqclf.comparison.verdict import bounds, title
from seqclf.report import figures, tables

LITTLE = 0.01  # of accuracy: less is next to nothing
Record = dict[str, Any]


def page(result: Record, details: Record | None = None) -> str:
    """Returns the HTML of a comparison.

    Texts, labels and names are data: they are escaped, and the page's policy lets no
    script run but its own.

    Args:
      result: What `comparison.json` holds.
      details: What `details.json` holds; without it, what it tells is missing.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    css, script = _file("page.css"), _file("page.js")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    drawn = _figures(result, details)
    return environment.from_string(_file("page.html")).render(
        css=Markup(css),  # our own, as is
        script=Markup(script),
        policy=_policy(css, script),
        figures={name: Markup(svg) for name, svg in drawn.items()},
        **_tables(result, details),
        **_words(result, details),
    )


def _file(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text("utf-8")


def _policy(css: str, script: str) -> str:
    """Returns a content policy that allows this style and this script alone."""

    def hashed(text: str) -> str:
        digest = hashlib.sha256(text.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"

    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {hashed(css)}",
            f"script-src {hashed(script)}",
            "img-src data:",  # a confusion matrix is a small picture in its figure
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _figures(result: Record, details: Record | None) -> dict[str, str]:
    """Returns the drawings by name; an empty text where there is nothing to draw."""
    pairs = [
        {"name": f"{p['a']} − {p['b']}", "difference": p["difference"]}
        | dict(zip(("low", "high"), bounds(p), strict=True))
        for p in tables.compared(result)
    ]
    drawn = {
        "accuracies": figures.accuracies(result["rows"]),
        "differences": figures.differences(pairs) if pairs else "",
        "costs": figures.costs(result["rows"]),
    }
    if details:
        by_length = [g for g in details["groups"] if g["by"] == "length"]
        drawn |= {
            "curves": figures.curves(details["curves"]),
            "by_length": figures.by_length(by_length),
            "word_order": figures.word_order(details["word_order"]),
            "confusions": figures.confusions(details["confusion"], details["labels"]),
            "calibrations": figures.calibrations(details["calibration"]),
        }
    return drawn


def _tables(result: Record, details: Record | None) -> dict[str, Record | None]:
    """Returns the tables by name, each with caption, headers and rows."""
    found: dict[str, Record | None] = dict.fromkeys(("pairs", "tuned", "trials"))
    for sheet in tables.sheets(result):
        found[sheet.name] = _table(sheet.title, sheet.headers, sheet.cells)
    if result.get("tuning"):
        found["trials"] = _trials(result["tuning"])
    found["models"] = _models(result)
    card = result["card"]
    found["checks"] = _table(
        "What must be equal in twins",
        ["what", "value, or the start of its SHA-256", "equal"],
        [[c["what"], c["value"], _equal(c)] for c in card["checks"]],
    )
    settings = [[name, _plain(value)] for name, value in card["equal"].items()]
    settings += [[name, "differs"] for name in card["different"]]
    found["settings"] = _table("Settings", ["setting", "value"], settings)
    return found | (_details_tables(details) if details else {})


def _details_tables(details: Record) -> dict[str, Record]:
    cells = list(details["curves"])
    fit = [
        [cell, _percent(one["train_accuracy"]), _percent(one["validation_accuracy"]),
         _signed(100 * (one["train_accuracy"] - one["validation_accuracy"])),
         f"{one['train_log_loss']:.3f}", f"{one['validation_log_loss']:.3f}"]
        for cell, one in details["fit"].items()
    ]  # fmt: skip
    groups = [
        (g["by"], [g["group"], f"{g['n']:,}", *(_reach(g["cells"][c]) for c in cells)])
        for g in details["groups"]
    ]
    calibration = [
        [cell, _percent(one["error"])] for cell, one in details["calibration"].items()
    ]
    return {
        "fit": _table(
            "Best epoch, without dropout, on as many training texts as validation has: "
            "a wide gap is overfitting",
            ["cell", "train accuracy %", "validation accuracy %", "gap, points",
             "train log loss", "validation log loss"],
            fit,
        ),
        "groups": _table(
            "Test accuracy, %, on parts of the texts (95 % interval)",
            ["part", "texts", *cells],
            groups,
        ),
        "calibration": _table(
            "Expected calibration error, in points: the mean gap between what is "
            "stated and what is right",
            ["cell", "error"],
            calibration,
        ),
    }  # fmt: skip


def _table(caption: str, headers: list[str], rows: list[Any]) -> Record:
    return {"caption": caption, "headers": headers, "rows": rows}


def _models(result: Record) -> Record | None:
    rows = [
        [f"{p['a']}, {p['b']}", str(m["seed"]), str(m["only_a"]), str(m["only_b"]),
         _signed(100 * m["difference"]),
         f"{_signed(100 * m['low'])} to {_signed(100 * m['high'])}",
         "< 0.001" if m["mcnemar_p"] < 0.001 else f"{m['mcnemar_p']:.3f}"]
        for p in tables.compared(result)
        for m in p["models"]
    ]  # fmt: skip
    if not rows:
        return None
    headers = ["a, b", "seed", "only a right", "only b right", "a − b, points",
               "95 % interval", "p (McNemar)"]  # fmt: skip
    return _table("Two trained models on the same test texts", headers, rows)


def _trials(tuning: Mapping[str, Record]) -> Record:
    rows = [
        [f"{cell} {number}", f"{t['learning_rate']:g}", f"{t['dropout_rate']:g}",
         str(t["units"]), f"{t['validation_loss']:.3f}",
         _percent(t["validation_accuracy"]),
         "chosen" if number == tried["chosen"] else ""]
        for cell, tried in tuning.items()
        for number, t in enumerate(tried["trials"], 1)
    ]  # fmt: skip
    headers = ["trial", "learning rate", "dropout", "units", "validation loss",
               "validation accuracy %", ""]  # fmt: skip
    return _table("Every cell had the same trials", headers, rows)


def _words(result: Record, details: Record | None) -> Record:
    """Returns what stands between tables and figures."""
    dataset, rows = result["card"]["dataset"], result["rows"]
    twins = [row for row in rows if row["kind"] == "recurrent"]
    names = [row["cell"] for row in twins]
    count = min(len(row["seeds"]) for row in twins)
    trainings = "one training" if count == 1 else f"{count} trainings"
    data = f"{dataset['name']}, fingerprint {dataset['fingerprint']}"
    about = f"Test split, {rows[0]['n']:,} texts; {trainings} of each cell; data {data}"
    about += f"; {result['date']}. " if "date" in result else ". "
    about += "rnn is Keras's SimpleRNN, none the twin without recurrence."
    return {
        "title": f"{_join(names)} on {dataset['name']}",
        "verdict": result["verdict"],
        "about": about,
        "missing": result.get("missing", {}),
        "sections": _sections(result, details),
        "card_said": tables.held_equal(result["card"]),
        "command": result.get("command", "seqclf compare"),
        "runs": [run for row in twins for run in row["runs"]],
        "details": details,
        **(_words_of_details(details) if details else {"versions": ""}),
    }


def _sections(result: Record, details: Record | None) -> list[tuple[str, str]]:
    shown = {
        "good": "How good",
        "price": "At what price",
        "tuning": "What was chosen" if result.get("tuning") else "",
        "learning": "How they learnt" if details else "",
        "differ": "Where they differ" if details else "",
        "texts": "Texts" if details and details["examples"] else "",
        "errors": "Errors and confidence" if details else "",
        "card": "The twin card",
        "again": "Do it again",
    }
    return [(id_, name) for id_, name in shown.items() if name]


def _words_of_details(details: Record) -> Record:
    environment, found = details["environment"], details["agreement"]
    versions = ", ".join(f"{k} {v}" for k, v in environment["versions"].items())
    return {
        "agreement": _agreement(found) if found else [],
        "agreement_seed": found["seeds"][0] if found else 0,
        "order_said": word_order_said(details["word_order"]),
        "examples": details["examples"],
        "cells": list(details["curves"]),
        "labels": details["labels"],
        "kinds_of_groups": list(dict.fromkeys(g["by"] for g in details["groups"])),
        "versions": f"{versions}; Python {environment['python']}, "
        f"{environment['device']}, {environment['platform']}.",
    }


def _agreement(found: Record) -> list[str]:
    """Returns how often the cells agree, in sentences."""
    only = [
        f"{title(cell)} alone {_percent(share)} %"
        for cell, share in found["only_right"].items()
    ]
    return [
        f"All cells give the same answer to {_percent(found['all_alike'])} % of the "
        f"test texts; all are right on {_percent(found['all_right'])} %, none on "
        f"{_percent(found['none_right'])} %.",
        f"Of the texts, these have one cell alone right: {', '.join(only)}.",
    ]


def word_order_said(by_cell: Mapping[str, Record]) -> str:
    """Says what shuffled words cost, and whether that is little."""
    losses = {c: one for c, one in by_cell.items() if c.split()[0] != "none"}
    if not losses:
        return "No cell here reads in order."
    said = [
        f"{title(c)} {_signed(100 * one['lost'])} points "
        f"({_signed(100 * one['low'])} to {_signed(100 * one['high'])})"
        for c, one in losses.items()
    ]
    most = max(one["high"] for one in losses.values())
    lead = f"Shuffling the words of each test text costs {_join(said)}."
    if most < LITTLE:
        return (
            f"{lead} Their order tells next to nothing here: a bag of words would do."
        )
    return lead


def _equal(check: Record) -> str:
    return "yes" if check["equal"] else f"no: {', '.join(check['differing'])}"


def _reach(value: Record) -> str:
    low, high = _percent(value["low"]), _percent(value["high"])
    return f"{_percent(value['accuracy'])} ({low}–{high})"


def _plain(value: Any) -> str:
    return "automatic" if value is None else str(value)


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _signed(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def _join(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
