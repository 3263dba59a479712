"""A run in the cell of a notebook."""

from __future__ import annotations

from html import escape

from seqclf.records.scores import Metrics


def run_html(name: str, about: str, metrics: Metrics) -> str:
    """Returns what a run is, and its scores by split, as a part of a page."""
    title = f"<p><strong>{escape(name)}</strong>, {escape(about)}</p>"
    if not metrics:
        return f"<div>{title}</div>"
    head = "".join(
        f"<th>{text}</th>"
        for text in ("split", "texts", "accuracy %", "95 %", "macro F1 %", "log loss")
    )
    rows = "".join(
        f"<tr><th>{escape(split)}</th><td>{one.n:,}</td>"
        f"<td>{100 * one.accuracy:.1f}</td>"
        f"<td>{100 * one.accuracy_low:.1f}–{100 * one.accuracy_high:.1f}</td>"
        f"<td>{100 * one.macro_f1:.1f}</td><td>{one.log_loss:.3f}</td></tr>"
        for split, one in metrics.items()
    )
    return (
        f"<div>{title}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
