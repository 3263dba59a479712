"""Nodes of a Ray cluster on this machine, for tests and for `make scale`."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STORE = 150_000_000  # bytes of a node's object store
MARK = "RAY_NODES_OF"  # in the environment of all that the nodes start: their head
STARTED = "will now block"  # what `ray start` says last
START = "from ray.scripts.scripts import main; main()"


def free_port() -> int:
    """Returns a port that nothing listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@dataclass
class Nodes:
    """A head without CPUs, and nodes that come and go.

    Attributes:
      folder: For Ray's files.
      environment: Of all nodes.
      port: Of the head.
      processes: By the name of the node.
    """

    folder: Path
    environment: Mapping[str, str]
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """HOST:PORT of the head."""
        return f"127.0.0.1:{self.port}"

    def start_head(self) -> None:
        """Starts the head; the command runs beside it."""
        self._start(
            "head", "--head", f"--port={self.port}", "--include-dashboard=false",
            f"--temp-dir={self.folder}", cpus=0,
        )  # fmt: skip
        for _ in range(600):
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), timeout=1),
            ):
                return
            time.sleep(0.1)
        raise TimeoutError("the head does not listen")

    def add(self, name: str, within: Sequence[str] = (), **environment: str) -> None:
        """Adds a node of one CPU; returns when it has started.

        Two that start at once take one port.

        Args:
          name: What it is called here.
          within: A command that runs the node's, as one that mounts something for it.
          environment: Its own variables.
        """
        joins = f"--address={self.address}"
        self._start(name, joins, cpus=1, within=within, **environment)
        log, until = self.folder / f"{name}.txt", time.monotonic() + 60
        while STARTED not in log.read_text("utf-8"):
            if time.monotonic() > until:
                raise TimeoutError(f"{name} has not started: {log.read_text('utf-8')}")
            time.sleep(0.1)

    def wait_for(self, count: int, seconds: float = 60.0) -> None:
        """Waits until so many nodes with CPUs are there, at least."""
        script = (
            "import logging, ray, sys; ray.init(address=sys.argv[1], "
            "log_to_driver=False, logging_level=logging.ERROR); "
            "print(len([n for n in ray.nodes() if n['Alive'] and "
            "n['Resources'].get('CPU')]))"
        )
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            done = subprocess.run(
                [sys.executable, "-c", script, self.address],
                capture_output=True,
                encoding="utf-8",
                env={**os.environ, **self.environment},
            )
            if done.returncode == 0 and int(done.stdout.split()[-1]) >= count:
                return
            time.sleep(1)
        raise TimeoutError(f"no {count} nodes have joined")

    def kill(self, name: str) -> None:
        """Kills a node with all of its processes, as when its power goes."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def close(self) -> None:
        """Ends all nodes, the head last."""
        for name in reversed([*self.processes]):
            self.kill(name)

    def _start(
        self,
        name: str,
        *options: str,
        cpus: int,
        within: Sequence[str] = (),
        **environment: str,
    ) -> None:
        own = {**os.environ, **self.environment, **environment, MARK: str(self.port)}
        with (self.folder / f"{name}.txt").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [*within, sys.executable, "-c", START, "start", "--block", *options,
                 f"--num-cpus={cpus}", f"--object-store-memory={STORE}",
                 "--node-ip-address=127.0.0.1", "--disable-usage-stats"],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=own,
            )  # fmt: skip


@contextlib.contextmanager
def cluster(token: str | None, nodes: int = 2) -> Iterator[Nodes]:
    """Starts a head and nodes of one CPU, with a token or without; ends them."""
    mode = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token or ""}
    environment = mode if token else {"RAY_AUTH_MODE": "disabled"}
    # Ray's sockets are files in it, of names that may have 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))  # noqa: S108
    made = Nodes(folder, environment)
    try:
        made.start_head()
        for number in range(nodes):
            made.add(f"node-{number}")
        made.wait_for(nodes)
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)
