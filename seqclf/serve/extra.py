"""What serving needs beyond seqclf itself."""

from __future__ import annotations

from importlib.util import find_spec

from seqclf.errors import ConfigError
from seqclf.installed import install_line

# Starlette: addresses to functions. uvicorn: HTTP. prometheus-client: counts.
NEEDED = ("starlette", "uvicorn", "prometheus_client")


def require_extra() -> None:
    """Raises ConfigError, which says what to type, if a part is not installed."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"seqclf serve needs {' and '.join(missing)}, not installed here: "
            f"{install_line('serve')}"
        )
