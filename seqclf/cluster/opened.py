"""Opens the machines that were asked for, and leaves them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from seqclf.cluster.asked import Asked
from seqclf.cluster.dispatch import Dispatcher, Machines
from seqclf.engine import Cluster


@contextlib.contextmanager
def opened(
    asked: Asked | None, insist: Callable[[str], None]
) -> Iterator[Cluster | None]:
    """Yields other machines, ready for tasks; None if none were asked for.

    Args:
      asked: See `asked.asked_of`.
      insist: Hears what a person should know, such as which nodes are left out.

    Raises:
      ConfigError: If there are none, or they may not be used.
    """
    if asked is None:
        yield None
        return
    machines = _connected(asked, insist)
    try:
        yield Dispatcher(machines, machines.room(), asked.cpus, asked.gpus)
    finally:
        machines.close()


def _connected(asked: Asked, insist: Callable[[str], None]) -> Machines:
    if asked.is_slurm:
        from seqclf.cluster.slurm_machines import SlurmMachines

        return SlurmMachines(asked, insist)
    from seqclf.cluster.ray_machines import RayMachines

    return RayMachines(asked, insist)
