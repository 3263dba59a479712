"""`seqclf doctor`."""

from __future__ import annotations

from typing import Annotated, Any

from seqclf.cli import _options as options
from seqclf.cli._options import option
from seqclf.cli._screen import print_json, stdout

Network = Annotated[
    bool, option("--network/--no-network", "Try to reach the Hugging Face Hub, 3 s.")
]


def doctor(
    network: Network = True,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    cache_dir: options.CacheDir = options.DEFAULT_CACHE,
    json: options.Json = False,
) -> None:
    """Show what this machine has: versions, cores, memory, GPU, and what runs where.

    Example: seqclf doctor
    """
    from seqclf.machine import examine

    findings = examine(models_dir, cache_dir, network)
    print_json(findings) if json else _print(findings)


def _print(findings: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_header=False, box=None)
    for key, value in findings.items():
        lines = value if isinstance(value, list) else [value]
        if isinstance(value, dict):
            lines = [f"{name} {number}" for name, number in value.items()]
        table.add_row(
            f"[bold]{key.replace('_', ' ')}[/bold]", escape("\n".join(map(str, lines)))
        )
    stdout().print(table)
