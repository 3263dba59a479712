"""pyarrow, imported where something of it is first used.

To predict one text needs none of it, and to import it takes as long as half of the
rest (`benchmarks/cold.py`). Modules on that path take `pa` and `pc` from here; the
others import pyarrow as anybody does.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
else:

    class _Later:
        """Stands for a module until an attribute of it is asked for."""

        def __init__(self, name: str) -> None:
            self.__name__ = name

        def __getattr__(self, attribute: str) -> Any:
            return getattr(importlib.import_module(self.__name__), attribute)

    pa, pc = _Later("pyarrow"), _Later("pyarrow.compute")

__all__ = ["is_array", "pa", "pc", "release"]


def is_array(value: object) -> bool:
    """Tells whether a value is an Arrow array, without importing what it is none of."""
    return "pyarrow" in sys.modules and isinstance(value, pa.Array)


def release() -> None:
    """Gives memory back that Arrow keeps for later: of a large file as much as it has.

    Reading takes twice what is read, and nothing later takes as much.
    """
    pa.default_memory_pool().release_unused()
