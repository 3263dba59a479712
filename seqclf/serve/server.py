"""Runs the server: a socket, one process, and an end at which nothing is lost."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from seqclf.errors import ConfigError
from seqclf.serve.app import Service
from seqclf.serve.guard import LOOPBACK, Guard

ENDS = (signal.SIGINT, signal.SIGTERM)


def serve(
    service: Service, listening: socket.socket, started: Callable[[], None]
) -> None:
    """Answers requests until SIGINT or SIGTERM; those that are under way are finished.

    Args:
      service: What is served.
      listening: Where, see `listen`.
      started: Is called once requests are answered.

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
        timeout_graceful_shutdown=math.ceil(limits.timeout),
    )
    server = _Server(config, service)
    # uvicorn raises these once more when it is done, and they have been obeyed by then.
    before = {one: signal.signal(one, lambda *_: None) for one in ENDS}
    try:
        asyncio.run(_run(server, service, listening, started))
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


class _Server(uvicorn.Server):
    """Tells the service when it begins to end."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's: takes no more connections, waits for what is under way."""
        self._service.is_ready = False
        await super().shutdown(sockets)


async def _run(
    server: _Server,
    service: Service,
    listening: socket.socket,
    started: Callable[[], None],
) -> None:
    async with service.open():
        started()
        await server.serve([listening])


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens; port 0 is any free one.

    Raises:
      ConfigError: If it cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # Made with its protocol named, or asyncio does not turn Nagle's algorithm off,
        # and each answer waits 40 ms for the client's acknowledgement.
        listening = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":  # on Windows it would let others take the port
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen()
        except OSError:
            listening.close()
            raise
        return listening
    except OSError as error:
        raise ConfigError(
            f"cannot listen at {host}, port {port}: {error}. Another --port, or 0 for "
            f"any free one, may do."
        ) from error


def address_of(listening: socket.socket) -> str:
    """Returns the address of a socket as a browser takes it."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def guard_of(host: str, token_file: Path | None, origins: Sequence[str]) -> Guard:
    """Returns who may ask a server at this host.

    Raises:
      ConfigError: If everybody who reaches the machine could, or the token is no token.
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
    if host in LOOPBACK:
        return Guard(token=token, origins=tuple(origins))
    if token is None:
        raise ConfigError(
            f"--host {host} lets other machines ask, so --token-file is needed: a file "
            f"with the token that requests have to bear. openssl rand -hex 32 makes it."
        )
    return Guard(hosts=None, token=token, origins=tuple(origins))
