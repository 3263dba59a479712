"""The machines of a Ray cluster."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

from seqclf.cluster.asked import Asked
from seqclf.cluster.dispatch import LostError
from seqclf.cluster.errand import (
    Errand,
    Returned,
    differing,
    perform,
    versions_here,
)
from seqclf.cluster.extra import require_extra
from seqclf.cluster.tokens import MODE, head_of, mode_of
from seqclf.errors import ConfigError

RETRIES = 3  # of an errand whose machine is lost
STATISTICS = "RAY_USAGE_STATS_ENABLED"
NODE_ID = "ray.io/node-id"
FETCHING = 60.0  # seconds for what a node has made to come here
PROBING = 120.0  # seconds for a node to say its versions: it starts a process


class RayMachines:
    """A Ray cluster; a `dispatch.Machines`."""

    def __init__(self, asked: Asked, insist: Callable[[str], None]) -> None:
        """Connects to a cluster, and compares versions before any work is given out.

        `insist` hears which nodes are left out.

        Raises:
          ConfigError: If there is none, or it may not be used, or no node is fit.
        """
        require_extra("ray")
        head = head_of(asked.address)
        self._environment = {name: os.environ.get(name) for name in (MODE, STATISTICS)}
        os.environ[MODE] = mode_of(head, asked.insecure)
        os.environ[STATISTICS] = "0"
        import ray

        self._ray: Any = ray
        self._asked, self._insist = asked, insist
        self._left_out: set[str] = set()
        self._ids: dict[str, str] = {}
        try:
            self._connect(head)
            self._inbox = self._open_inbox()
            self._compare_versions()
        except BaseException:
            self.close()
            raise
        self._perform: Any = ray.remote(_perform)
        self._options: dict[str, Any] = {
            "num_cpus": asked.cpus, "num_gpus": asked.gpus, "max_retries": RETRIES,
        }  # fmt: skip

    def _connect(self, head: str) -> None:
        try:
            self._ray.init(
                address=_own_address(head),
                log_to_driver=False,
                logging_level=logging.ERROR,
                include_dashboard=False,
            )
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            raise ConfigError(
                f"the Ray cluster at {head} cannot be used from here ({error}). The "
                f"machine where the command is typed has to be part of it: `ray start "
                f"--address {head}`."
            ) from None

    @property
    def shared(self) -> Path | None:
        """The folder that all machines have."""
        return self._asked.shared

    def room(self) -> int:
        """Returns for how many errands there is room now, at least 1."""
        fit = 0
        for one in self._nodes():
            has = one["Resources"]
            by_cpus = int(has.get("CPU", 0) // self._asked.cpus)
            by_gpus = by_cpus
            if self._asked.gpus:
                by_gpus = int(has.get("GPU", 0) / self._asked.gpus)
            fit += min(by_cpus, by_gpus)
        if not fit:  # by now, or ever
            wanted = f"{self._asked.cpus} CPUs and {self._asked.gpus:g} GPUs"
            raise ConfigError(
                f"no node of the Ray cluster has {wanted} for a training."
            )
        return min(fit, self._asked.jobs or fit)

    def put(self, content: bytes) -> Any:
        """Keeps bytes in the cluster's store."""
        return self._ray.put(content)

    def submit(self, errand: Errand, contents: Sequence[Any]) -> Hashable:
        """Sends an errand to a node with room, one that is not left out."""
        options = dict(self._options)
        if self._left_out:
            others = ",".join(sorted(self._left_out))
            options["label_selector"] = {NODE_ID: f"!in({others})"}
        sent = self._perform.options(**options)
        try:
            handle: Hashable = sent.remote(errand, self._inbox, *contents)
        except (ValueError, self._ray.exceptions.RayError) as error:
            raise LostError(f"Ray did not take it: {error}") from None
        return handle

    def done(self, handles: Sequence[Hashable], seconds: float) -> list[Hashable]:
        """Returns the errands that have ended."""
        if not handles:
            time.sleep(seconds)
            return []
        ended, _ = self._ray.wait(list(handles), num_returns=1, timeout=seconds)
        return list(ended)

    def returned(self, handle: Hashable) -> Returned | None:
        """Returns what came back; what was lost with its machine Ray does again."""
        exceptions, returned = self._ray.exceptions, Returned("")
        try:
            node_id, returned = self._ray.get(handle, timeout=FETCHING)  # of `_perform`
        except exceptions.GetTimeoutError:
            return None
        except exceptions.RayTaskError as error:
            why = f"{type(error.cause).__name__}: {error.cause}"
            if isinstance(error.cause, ImportError | AttributeError):
                return Returned("", refused=why)  # a machine without this seqclf
            raise LostError(why) from None
        except exceptions.OutOfMemoryError:
            raise LostError(
                "memory of its machine ran out; more --cpus-per-training puts fewer "
                "trainings on one, and smaller batches (--batch-size) need less"
            ) from None
        except exceptions.RayError as error:
            raise LostError(
                f"lost with its machine, {RETRIES + 1} times ({type(error).__name__})"
            ) from None
        self._ids[returned.node] = node_id
        return returned

    def heard(self) -> list[tuple[int, Any]]:
        """Returns what errands have reported."""
        try:
            return list(self._ray.get(self._inbox.take.remote(), timeout=FETCHING))
        except self._ray.exceptions.RayError:  # it is only for the progress
            return []

    def leave_out(self, returned: Returned) -> None:
        """Sends nothing more to a node that refused, or did not even understand."""
        if returned.node in self._ids:
            self._leave_out(self._ids[returned.node], returned.node, returned.refused)
        else:
            self._compare_versions()

    def cancel(self, handles: Sequence[Hashable]) -> None:
        """Ends errands; with their worker its training ends."""
        for handle in handles:
            self._ray.cancel(handle, force=True)

    def close(self) -> None:
        """Leaves the cluster, which ends all that is still at work there for us."""
        self._ray.shutdown()
        for name, value in self._environment.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    def _open_inbox(self) -> Any:
        """Starts what receives the reports, on the machine of the command."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        own = self._ray.get_runtime_context().get_node_id()
        here = NodeAffinitySchedulingStrategy(own, soft=False)
        options = {"num_cpus": 0, "scheduling_strategy": here}
        return self._ray.remote(Inbox).options(**options).remote()

    def _nodes(self) -> list[dict[str, Any]]:
        return [
            one
            for one in self._ray.nodes()
            if one["Alive"] and one["NodeID"] not in self._left_out
        ]

    def _compare_versions(self) -> None:
        """Asks all nodes at once for their versions, and leaves out those that differ.

        Raises:
          ConfigError: If none is left.
        """
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        probe = self._ray.remote(differing)
        options = {"num_cpus": 0, "max_retries": 0}
        asked = {}
        for one in self._nodes():
            there = NodeAffinitySchedulingStrategy(one["NodeID"], soft=False)
            sent = probe.options(**options, scheduling_strategy=there)
            asked[sent.remote(versions_here())] = one
        done, late = self._ray.wait(
            list(asked), num_returns=len(asked), timeout=PROBING
        )
        found = dict.fromkeys(late, "it does not answer")
        for answer in done:
            try:
                told = self._ray.get(answer)
            except self._ray.exceptions.RayError as error:
                found[answer] = _what_failed(error)
            else:
                if told:
                    found[answer] = f"it has {told}"
        for answer, why in found.items():
            one = asked[answer]
            self._leave_out(one["NodeID"], one["NodeManagerHostname"], why)
        if not self._nodes():
            raise ConfigError(
                "no node of the Ray cluster has the versions of this machine; install "
                "the same there, from one constraints file."
            )

    def _leave_out(self, node_id: str, name: str, why: str) -> None:
        if node_id not in self._left_out:
            self._left_out.add(node_id)
            self._insist(f"Nothing is sent to {name} ({node_id[:8]}): {why}.")


def _own_address(head: str) -> str:
    """Returns the address with its host as a number, which Ray need not look up."""
    host, _, port = head.rpartition(":")
    try:
        return f"{socket.gethostbyname(host)}:{port}"
    except OSError:
        return head


class Inbox:
    """Receives reports and keeps them until they are taken; an actor."""

    def __init__(self) -> None:
        self._reports: list[tuple[int, Any]] = []

    def put(self, number: int, report: Any) -> None:
        """Keeps the report of an errand."""
        self._reports.append((number, report))

    def take(self) -> list[tuple[int, Any]]:
        """Returns the reports since the last time."""
        taken, self._reports = self._reports, []
        return taken


def _perform(errand: Errand, inbox: Any, *contents: bytes) -> tuple[str, Returned]:
    """Does an errand on a node."""
    import ray

    # Sent and not waited for: to wait for an answer would let go of the node's CPU, and
    # another task would begin beside this one.
    returned = perform(
        errand, contents, lambda report: inbox.put.remote(errand.number, report)
    )
    return ray.get_runtime_context().get_node_id(), returned


def _what_failed(error: Exception) -> str:
    """Says why a node could not be asked, by Ray's error."""
    if type(error).__name__ in ("NodeDiedError", "TaskUnschedulableError"):
        return "it is gone"
    return f"it fails: {getattr(error, 'cause', None) or type(error).__name__}"
