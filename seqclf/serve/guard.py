"""What stands before every request: who may ask, how much, and for how long."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from seqclf.serve.limits import Limits
from seqclf.serve.refusal import RefusedError

LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
# Whoever asks whether the server lives need not say who it is.
OPEN = frozenset(("/v2/health/live", "/v2/health/ready"))


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may ask.

    Attributes:
      hosts: The names by which the server may be called, or None for any. A page of
        the web whose name is made to mean this machine (DNS rebinding) calls it by
        another.
      token: What a request has to bear, or None.
      origins: The web's pages that may ask from a browser, besides the server's own.
    """

    hosts: Collection[str] | None = LOOPBACK
    token: str | None = None
    origins: Collection[str] = ()

    def check(self, request: Request) -> None:
        """Checks the head of a request.

        Raises:
          RefusedError: If it may not ask.
        """
        headers = request.headers
        host = headers.get("host", "")
        if self.hosts is not None and _name(host) not in self.hosts:
            names = " or ".join(sorted(self.hosts))
            raise RefusedError(
                421, f"this server is not called {host!r}; ask it as {names}."
            )
        origin = headers.get("origin")
        own = (f"http://{host}", f"https://{host}")
        if origin and origin not in (*self.origins, *own):
            raise RefusedError(
                403, f"pages of {origin} may not ask; --cors {origin} lets them."
            )
        # Not `request.url`, which has in it what the client calls this server.
        if self.token is None or request.scope["path"] in OPEN:
            return
        kind, _, given = headers.get("authorization", "").partition(" ")
        is_right = hmac.compare_digest(given.strip().encode(), self.token.encode())
        if kind.lower() != "bearer" or not is_right:
            raise RefusedError(401, "the header Authorization: Bearer TOKEN is needed.")


async def body_of(request: Request, limits: Limits) -> bytes:
    """Returns the body of a request.

    Raises:
      RefusedError: If it is too large, which is known before it is read where the
        request says its length; or does not come in time.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limits.bytes:
        raise _too_large(int(declared), limits)
    parts, size = [], 0
    try:
        async with asyncio.timeout(limits.timeout):
            async for part in request.stream():
                size += len(part)
                if size > limits.bytes:
                    raise _too_large(size, limits)
                parts.append(part)
    except TimeoutError:
        raise RefusedError(
            408, f"the request did not come whole within {limits.timeout:g} s."
        ) from None
    return b"".join(parts)


def headers_of(refused: RefusedError) -> dict[str, str]:
    """Returns the headers that go with a refusal."""
    headers = {}
    if refused.retry_after is not None:
        headers["retry-after"] = str(refused.retry_after)
    if refused.status == 401:
        headers["www-authenticate"] = "Bearer"
    if refused.status in (408, 413):  # the rest of the body is not read
        headers["connection"] = "close"
    return headers


def _too_large(size: int, limits: Limits) -> RefusedError:
    return RefusedError(
        413,
        f"the body has {size:,} bytes or more, and may have {limits.bytes:,}; send "
        f"several requests, or start the server with a larger --max-bytes.",
    )


def _name(host: str) -> Any:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
