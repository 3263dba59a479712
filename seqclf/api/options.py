"""Keywords to what trainings are asked for: config, target, and who follows them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_type_hints

from seqclf import keywords
from seqclf.api.logged import Logged
from seqclf.cluster.asked import Asked, asked_of, refuse_followers
from seqclf.config import RunConfig
from seqclf.keywords import ENDING, MACHINES, AnyPath
from seqclf.records.training import OnEvent
from seqclf.steps import Target
from seqclf.trackers import Followed, followed


def read_options(
    data: AnyPath, options: Mapping[str, Any], known: type[Any]
) -> tuple[RunConfig, Target, bool]:
    """Returns config, target and whether cuDNN is required.

    `known` is the TypedDict of the options that the function takes.

    Raises:
      ConfigError: If an option is unknown, out of range, or would do nothing.
    """
    keywords.refuse_unknown(options, get_type_hints(known))
    where = keywords.PLACEMENT
    others = {*where, *ENDING, *MACHINES}
    settings = {key: options[key] for key in options if key not in others}
    config = keywords.to_config({**settings, "data": os.fspath(data)})
    placed = {key: options.get(key, usual) for key, usual in where.items()}
    require_cudnn = placed.pop("require_cudnn")
    for followed_by in ("log_dir", "tracker"):
        placed.pop(followed_by)
    return config, target_of(**placed), require_cudnn


def listening(
    options: Mapping[str, Any], target: Target, on_report: OnEvent | None
) -> contextlib.AbstractContextManager[Followed]:
    """Returns a context with the listener that these options ask for."""
    log_dir = options.get("log_dir")
    folder = None if log_dir is None else Path(log_dir)
    tracker = options.get("tracker")
    return followed(Logged(on_report), target.models, folder, tracker)


def machines_of(options: Mapping[str, Any], jobs: int | None) -> Asked | None:
    """Returns what these options ask of other machines; None if nothing."""
    asked = {name: options.get(name, usual) for name, usual in MACHINES.items()}
    shared: Any = asked.pop("shared")
    folder = None if shared is None else Path(shared)
    machines = asked_of(**cast(Any, asked), shared=folder, jobs=jobs)
    followers = {name: options.get(name) for name in ("log_dir", "tracker")}
    refuse_followers(machines, **followers)
    return machines


def target_of(
    models_dir: AnyPath | None, cache_dir: AnyPath | None, **others: Any
) -> Target:
    """Returns where results go, in these folders or, of None, in the usual ones."""
    models, cache = keywords.models_folder(models_dir), keywords.cache_folder(cache_dir)
    return Target(models, cache, **others)
