"""Options of commands that other machines can help with."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from seqclf.cli._options import MACHINES, option
from seqclf.cluster.asked import Asked, asked_of

_option = functools.partial(option, panel=MACHINES)

ClusterAt = Annotated[
    str | None,
    _option(
        "--cluster",
        "Train, or predict the files of a folder, on other machines: auto, the Ray "
        "cluster of this one; HOST:PORT, a Ray head; slurm (docs/scale.md). By default "
        "as SEQCLF_CLUSTER says.",
        "this machine",
        metavar="WHERE",
    ),
]
Cpus = Annotated[
    int | None,
    _option(
        "--cpus-per-training",
        "Cores and threads of each training or file.",
        "1",
        metavar="N",
    ),
]
Gpus = Annotated[
    float | None,
    _option(
        "--gpus-per-training",
        "GPUs of each training; 0.5 puts two on one.",
        "0",
        metavar="N",
    ),
]
Shared = Annotated[
    Path | None,
    _option(
        "--shared",
        "A folder that all machines have, so that a training whose machine is lost "
        "goes on elsewhere.",
        "it begins anew",
        metavar="DIR",
    ),
]
Insecure = Annotated[
    bool,
    _option(
        "--insecure-cluster",
        "Use a Ray cluster without a token, which runs programs for anyone who reaches "
        "it.",
    ),
]
Machines = Callable[[], Asked | None]
ASKED = {
    "cluster": (ClusterAt, None),
    "cpus_per_training": (Cpus, None),
    "gpus_per_training": (Gpus, None),
    "shared": (Shared, None),
    "insecure_cluster": (Insecure, False),
}


def with_machines(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command these options, and hands it what was asked for as `machines`.

    An option `jobs`, if it has one, limits what is sent out, too. To call `machines`
    returns an `Asked`, or None for this machine alone: where nothing is sent, what the
    environment says does not matter.
    """

    @functools.wraps(command)
    def wrapped(**values: Any) -> Any:
        given = {name: values.pop(name) for name in ASKED}
        machines = functools.partial(asked_of, **given, jobs=values.get("jobs"))
        if any(given.values()):  # what was typed is refused before anything is done
            machines()
        return command(machines=machines, **values)

    own = inspect.signature(command, eval_str=True).parameters.values()
    more = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind
        )
        for name, (kind, default) in ASKED.items()
    ]
    every = [one for one in own if one.name != "machines"]
    every = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in every] + more
    wrapped.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in every}
    return wrapped
