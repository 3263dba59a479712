"""What other machines need beyond seqclf itself."""

from __future__ import annotations

from importlib.util import find_spec

from seqclf.errors import ConfigError
from seqclf.installed import install_line

# By extra: the package, and who asks for it.
NEEDED = {"ray": ("ray", "--cluster"), "slurm": ("submitit", "--cluster slurm")}


def require_extra(extra: str) -> None:
    """Raises ConfigError, which says what to type, if it is not installed."""
    package, option = NEEDED[extra]
    if find_spec(package) is None:
        raise ConfigError(
            f"{option} needs {package}, not installed here: {install_line(extra)}"
        )
