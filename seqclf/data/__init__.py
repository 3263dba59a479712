"""From a name or a path to a `Dataset`."""

from seqclf.data.load import (
    DEMO,
    GENERATED,
    load_dataset,
    load_traced,
    names_of_sources,
    read_once,
    read_source,
)

__all__ = [
    "DEMO",
    "GENERATED",
    "load_dataset",
    "load_traced",
    "names_of_sources",
    "read_once",
    "read_source",
]
