"""Runs the server: a socket, one process, and an end at which nothing is lost."""

from __future__ import annotations

import asyncio
import math
import os
import re
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from seqclf.errors import ConfigError
from seqclf.serve.app import Service
from seqclf.serve.guard import LOOPBACK, Guard

# Those at which uvicorn ends; the third is Windows's Ctrl-Break.
ENDS = [
    getattr(signal, one)
    for one in ("SIGINT", "SIGTERM", "SIGBREAK")
    if hasattr(signal, one)
]
MOST = 65_535  # of ports
ORIGIN = re.compile(r"https?://[^/*\s]+")


def serve(service: Service, bound: socket.socket, started: Callable[[], None]) -> bool:
    """Answers requests until SIGINT or SIGTERM; those that are under way are finished.

    Args:
      service: What is served.
      bound: Where, see `bind`.
      started: Is called once requests are taken.

    Returns:
      Whether every request that had come was answered; a second SIGINT ends at once.

    Raises:
      RunError: If a model cannot be opened.
      ConfigError: If two have the same name.
    """
    limits = service.limits
    config = uvicorn.Config(
        service.app(),
        lifespan="off",  # see `_run`: errors of opening are told as any other
        log_config=None,
        access_log=False,  # addresses of clients are nobody's business
        server_header=False,
        ws="none",
        backlog=max(limits.queue, 128),
        # A request may take the time to come, and as long again to be answered.
        timeout_graceful_shutdown=math.ceil(2 * limits.timeout) + 1,
    )
    server = _Server(config, service, started)
    asyncio.run(_run(server, service, bound))
    return server.was_clean


class _Server(uvicorn.Server):
    """Tells when it takes requests and when no longer, and knows how it ended."""

    def __init__(
        self, config: uvicorn.Config, service: Service, started: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._service, self._started = service, started
        service.connections = lambda: len(self.server_state.connections)
        self.was_clean = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's: listens."""
        await super().startup(sockets)
        self._started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's: takes no more connections, waits for what is under way."""
        self._service.is_ready = False
        under_way = list(self.server_state.tasks)
        await super().shutdown(sockets)
        are_done = all(task.done() and not task.cancelled() for task in under_way)
        self.was_clean = are_done and not self.force_exit


async def _run(server: _Server, service: Service, bound: socket.socket) -> None:
    async with service.open():
        # uvicorn raises these again when it is done, and they have been obeyed by then.
        before = {one: signal.signal(one, lambda *_: None) for one in ENDS}
        try:
            await server.serve([bound])
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


def bind(host: str, port: int) -> socket.socket:
    """Returns a socket that has an address; port 0 is any free one.

    Raises:
      ConfigError: If it cannot be had.
    """
    if not 0 <= port <= MOST:  # of more, some systems would take the last 16 bits
        raise ConfigError(f"there is no port {port:,}: at most {MOST:,}.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # Made with its protocol named, or asyncio does not turn Nagle's algorithm off,
        # and each answer waits 40 ms for the client's acknowledgement.
        bound = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":  # on Windows it would let others take the port
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError:
            bound.close()
            raise
        return bound
    except OSError as error:
        raise ConfigError(
            f"cannot listen at {host}, port {port}: {error}. Another --port, or 0 for "
            f"any free one, may do."
        ) from error


def address_of(bound: socket.socket) -> str:
    """Returns the address of a socket as a browser takes it."""
    host, port = bound.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def guard_of(host: str, token_file: Path | None, origins: Sequence[str]) -> Guard:
    """Returns who may ask a server at this host.

    Raises:
      ConfigError: If everybody who reaches the machine could; or the token is no token,
        an origin none.
    """
    token = None
    if token_file is not None:
        try:
            token = token_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"--token-file cannot be read: {error}") from error
        if not token or not token.isascii() or not token.isprintable():
            raise ConfigError(
                f"{token_file} holds no token: one line of ASCII was expected. "
                f"openssl rand -hex 32 makes it."
            )
    for origin in origins:
        if not ORIGIN.fullmatch(origin):
            raise ConfigError(
                f"--cors takes the origin of a page, such as https://example.org, and "
                f"no path behind it; got {origin!r}."
            )
    known = tuple(origin.lower() for origin in origins)
    if token is not None:
        # Whoever has the token may call the server what a proxy calls it.
        return Guard(hosts=None, token=token, origins=known)
    if host not in LOOPBACK:
        raise ConfigError(
            f"--host {host} lets other machines ask, so --token-file is needed: a file "
            f"with the token that requests have to bear. openssl rand -hex 32 makes it."
        )
    return Guard(origins=known)
