"""The comparison as a page: one file, no network, from saved files only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seqclf.comparison.pairs import bounds, is_decided
from seqclf.comparison.verdict import in_words, title
from seqclf.comparison.words import joined, percent, signed
from seqclf.report import figures, tables
from seqclf.report.page.render import Record, render, table, trusted
from seqclf.report.page.sections import Section, contents, prepared, sections_page
from seqclf.report.page.terms import TERMS

__all__ = ["page", "sections_page", "word_order_said"]

LITTLE = 0.01  # of accuracy: less is next to nothing


def page(
    result: Record, details: Record | None = None, sections: Sequence[Section] = ()
) -> str:
    """Returns the HTML of a comparison.

    Texts, labels and names are data: they are escaped, and the page's policy lets no
    script run but its own.

    Args:
      result: What `comparison.json` holds.
      details: What `details.json` holds; without it, what it tells is missing.
      sections: What studies found, behind the rest; see `sections.prepared`.
    """
    studies = prepared(sections)
    drawn = _figures(result, details)
    words = _words(result, details)
    return render(
        "page.html",
        figures={name: trusted(svg) for name, svg in drawn.items()},
        studies=studies,
        **_tables(result, details),
        **words | {"sections": words["sections"] + contents(studies)},
    )


def _figures(result: Record, details: Record | None) -> dict[str, str]:
    """Returns the drawings by name; an empty text where there is nothing to draw."""
    pairs = [
        {
            "name": f"{p['a']} − {p['b']}",
            "difference": p["difference"],
            "is_decided": is_decided(p),
        }
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
        found[sheet.name] = table(sheet.title, sheet.headers, sheet.cells, sheet.note)
    if result.get("tuning"):
        found["trials"] = _trials(result["tuning"])
    found["models"] = _models(result)
    card = result["card"]
    found["checks"] = table(
        "What must be equal in twins",
        ["what", "value, or the start of its SHA-256", "equal"],
        [[c["what"], c["value"], _equal(c)] for c in card.get("checks", [])],
    )
    settings = [[name, _plain(value)] for name, value in card["equal"].items()]
    settings += [[name, "differs"] for name in card["different"]]
    found["settings"] = table("Settings", ["setting", "value"], settings)
    return found | (_details_tables(details) if details else {})


def _details_tables(details: Record) -> dict[str, Record]:
    cells = list(details["curves"])
    fit = [
        [cell, percent(one["train_accuracy"]), percent(one["validation_accuracy"]),
         signed(100 * (one["train_accuracy"] - one["validation_accuracy"])),
         f"{one['train_log_loss']:.3f}", f"{one['validation_log_loss']:.3f}"]
        for cell, one in details["fit"].items()
    ]  # fmt: skip
    groups = [
        [g["group"], f"{g['n']:,}", *(_reach(g["cells"][c]) for c in cells)]
        for g in details["groups"]
    ]
    calibration = [
        [cell, percent(one["error"])] for cell, one in details["calibration"].items()
    ]
    order = [
        [cell, percent(one["accuracy"]), percent(one["shuffled"]),
         f"{signed(100 * one['lost'])} ({signed(100 * one['low'])} to "
         f"{signed(100 * one['high'])})"]
        for cell, one in details["word_order"].items()
    ]  # fmt: skip
    return {
        "order": table(
            "Test accuracy, %",
            ["cell", "as written", "words shuffled", "lost, points (95 % interval)"],
            order,
        ),
        "epochs": table(
            "Validation accuracy, %, the mean of a cell's trainings",
            ["epoch", *cells],
            _by_epoch(details["curves"]),
        ),
        "confused": table(
            "Test texts by true and predicted label, all seeds together",
            ["cell, true label", *details["labels"]],
            [
                [f"{cell}, {label}", *map(str, row)]
                for cell, matrix in details["confusion"].items()
                for label, row in zip(details["labels"], matrix, strict=True)
            ],
        ),
        "bins": table(
            "Answers by their stated probability, all seeds together",
            ["cell, stated %", "right %", "answers"],
            [
                [f"{cell}, {percent(b['confidence'])}", percent(b["accuracy"]),
                 f"{b['n']:,}"]
                for cell, one in details["calibration"].items()
                for b in one["bins"]
            ],
        ),
        "fit": table(
            "At the best epoch, dropout switched off, on as many training texts as "
            "validation has: a wide gap suggests overfitting",
            ["cell", "train accuracy %", "validation accuracy %", "gap, points",
             "train log loss", "validation log loss"],
            fit,
        ),
        "groups": table(
            "Test accuracy, %, on parts of the texts (95 % interval)",
            ["part", "texts", *cells],
            groups,
        )
        | {"by": [g["by"] for g in details["groups"]]},
        "calibration": table(
            "Expected calibration error, in points: the mean gap between what is "
            "stated and what is right",
            ["cell", "error"],
            calibration,
        ),
    }  # fmt: skip


def _by_epoch(curves: Mapping[str, list[Record]]) -> list[list[str]]:
    """Returns a row an epoch, as far as all trainings of a cell go."""
    means = {
        cell: [
            sum(values) / len(values)
            for values in zip(*(one["validation_accuracy"] for one in seeds))  # noqa: B905
        ]
        for cell, seeds in curves.items()
    }
    return [
        [str(epoch + 1)]
        + [percent(one[epoch]) if epoch < len(one) else "–" for one in means.values()]
        for epoch in range(max(map(len, means.values())))
    ]


def _models(result: Record) -> Record | None:
    rows = [
        [f"{p['a']}, {p['b']}", str(m["seed"]), str(m["only_a"]), str(m["only_b"]),
         signed(100 * m["difference"]),
         f"{signed(100 * m['low'])} to {signed(100 * m['high'])}",
         "< 0.001" if m["mcnemar_p"] < 0.001 else f"{m['mcnemar_p']:.3f}"]
        for p in tables.compared(result)
        for m in p["models"]
    ]  # fmt: skip
    if not rows:
        return None
    headers = ["a, b", "seed", "only a right", "only b right", "a − b, points",
               "95 % interval", "p (McNemar)"]  # fmt: skip
    return table("Two trained models on the same test texts", headers, rows)


def _trials(tuning: Mapping[str, Record]) -> Record:
    rows = [
        [f"{cell} {number}", f"{t['learning_rate']:g}", f"{t['dropout_rate']:g}",
         tables.units_said(cell, t["units"]), *_validation(t),
         "chosen" if number == tried["chosen"] else ""]
        for cell, tried in tuning.items()
        for number, t in enumerate(tried["trials"], 1)
    ]  # fmt: skip
    headers = ["trial", "learning rate", "dropout", "units", "validation loss",
               "validation accuracy %", ""]  # fmt: skip
    return table("Every cell had the same trials", headers, rows)


def _validation(trial: Record) -> list[str]:
    if trial["validation_loss"] is None:
        return ["ran away", "–"]
    loss, accuracy = trial["validation_loss"], trial["validation_accuracy"]
    return [f"{loss:.3f}", percent(accuracy)]


def _words(result: Record, details: Record | None) -> Record:
    """Returns what stands between tables and figures."""
    dataset, rows = result["card"]["dataset"], result["rows"]
    twins = [row for row in rows if row["kind"] == "recurrent"]
    names = [row["cell"] for row in twins]
    data = f"{dataset['name']}, fingerprint {dataset['fingerprint']}"
    about = f"{rows[0]['n']:,} test texts; {tables.seeds_said(rows)}; data {data}"
    about += f"; {result['date']}. " if "date" in result else ". "
    about += (
        "Twins are networks that are equal but for the recurrent cell: rnn is Keras's "
        "SimpleRNN, none leaves the cell out. A seed stands for a random start and an "
        "order of the batches."
    )
    return {
        "title": f"{joined(names)} on {dataset['name']}",
        "verdict": result["verdict"],
        "about": about,
        "missing": result.get("missing", {}),
        "n": f"{rows[0]['n']:,}",
        "n_validation": _size(dataset, "validation"),
        "majority_said": figures.majority_said(rows),
        "terms": TERMS,
        "differences": [in_words(pair) for pair in tables.compared(result)],
        "sections": _sections(result, details),
        "card_said": tables.held_equal(result["card"]),
        "command": result.get("command", "seqclf compare"),
        "runs": [run for row in twins for run in row["runs"]],
        "details": details,
        **(_words_of_details(details) if details else {"versions": ""}),
    }


def _size(dataset: Record, split: str) -> str:
    """Returns the texts of a split and a space; nothing where that was not saved."""
    size = dataset.get("sizes", {}).get(split)
    return f"{size:,} " if size else ""


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
        "terms": "Terms",
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
        "cells": {cell: title(cell) for cell in details["curves"]},
        "labels": details["labels"],
        "kinds_of_groups": list(dict.fromkeys(g["by"] for g in details["groups"])),
        "versions": f"{versions}; Python {environment['python']}, "
        f"{environment['device']}, {environment['platform']}.",
    }


def _agreement(found: Record) -> list[str]:
    """Returns how often the cells agree, in sentences."""
    only = [
        f"{title(cell)} {percent(share)} %"
        for cell, share in found["only_right"].items()
    ]
    return [
        f"The mean over {_seeds(found['seeds'])}: "
        f"all cells give the same answer to {percent(found['all_alike'])} % of the "
        f"test texts; every cell is right on {percent(found['all_right'])} %, every "
        f"cell is wrong on {percent(found['none_right'])} %.",
        f"One cell alone is right on: {', '.join(only)}.",
    ]


def _seeds(seeds: Sequence[int]) -> str:
    return f"{len(seeds)} {'seed' if len(seeds) == 1 else 'seeds'}"


def word_order_said(by_cell: Mapping[str, Record]) -> str:
    """Says what shuffled words cost, and whether that is little."""
    losses = {c: one for c, one in by_cell.items() if c.split()[0] != "none"}
    if not losses:
        return "No cell here reads in order."
    said = [
        f"{title(c)} {signed(100 * one['lost'])} points "
        f"({signed(100 * one['low'])} to {signed(100 * one['high'])})"
        for c, one in losses.items()
    ]
    most = max(one["high"] for one in losses.values())
    lead = f"Shuffling the words of each test text costs {joined(said)}."
    if most < LITTLE:
        return f"{lead} Each cell loses less than a point: order tells little here."
    return lead


def _equal(check: Record) -> str:
    return "yes" if check["equal"] else f"no: {', '.join(check['differing'])}"


def _reach(value: Record) -> str:
    low, high = percent(value["low"]), percent(value["high"])
    return f"{percent(value['accuracy'])} ({low}–{high})"


def _plain(value: Any) -> str:
    return "automatic" if value is None else str(value)
