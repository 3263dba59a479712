"""Who may use a Ray cluster: asks its head, before anything is sent there.

Whoever reaches the ports of a cluster without a token runs code on all of its
machines, and `ray start` of Ray 2.60 makes one unless it is told otherwise.
"""

from __future__ import annotations

import os
from pathlib import Path

from seqclf.errors import ConfigError

MODE, TOKEN, TOKEN_FILE = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
CURRENT = Path("/tmp/ray/ray_current_cluster")  # noqa: S108 - where Ray keeps it
ADDRESS = "RAY_ADDRESS"
# A question to a head that changes nothing: whether nodes are alive, of no nodes.
QUESTION = "/ray.rpc.NodeInfoGcsService/CheckAlive"
SECONDS = 10.0
HOW = (
    "Start the head and each node with RAY_AUTH_MODE=token and one token in the file "
    "that RAY_AUTH_TOKEN_PATH names (`ray get-auth-token --generate` makes one), and "
    "set both here, too: docs/scale.md."
)


def head_of(address: str) -> str:
    """Returns HOST:PORT of a cluster's head, of `auto` as this machine knows it.

    Raises:
      ConfigError: If this machine is part of none.
    """
    if address != "auto":
        return address
    given = os.environ.get(ADDRESS, "")
    if "://" in given:
        raise ConfigError(
            f"{ADDRESS} is {given}; --cluster needs HOST:PORT of a Ray head."
        )
    if given not in ("", "auto", "local"):
        return given
    try:
        with CURRENT.open(encoding="utf-8") as file:  # one file, asked for and read
            owner = os.fstat(file.fileno()).st_uid
            if os.name == "posix" and owner not in (0, os.getuid()):
                raise ConfigError(
                    f"--cluster auto: {CURRENT} is of another user, who would get the "
                    f"token; name the head of the cluster: --cluster HOST:PORT."
                )
            return file.read().strip()
    except OSError:
        raise ConfigError(
            "--cluster auto: this machine is part of no Ray cluster. Join one with "
            "`ray start --address HOST:PORT`, or name its head: --cluster HOST:PORT."
        ) from None


def token() -> str | None:
    """Returns the token of this machine, where Ray looks for it; None without one."""
    if given := os.environ.get(TOKEN):
        return given
    file = Path(os.environ.get(TOKEN_FILE) or Path.home() / ".ray" / "auth_token")
    try:
        return file.expanduser().read_text("utf-8").strip() or None
    except OSError:
        return None


def mode_of(head: str, insecure: bool) -> str:
    """Refuses a cluster that asks for no token, or for another one than ours.

    Args:
      head: HOST:PORT.
      insecure: Whether one that asks for none is used all the same.

    Returns:
      What `MODE` has to be, `token` or `disabled`.

    Raises:
      ConfigError: If it is refused, or does not answer.
    """
    own = token() if os.environ.get(MODE, "").lower() != "disabled" else None
    if not _is_refused(head, None):
        if not insecure:
            raise ConfigError(
                f"the Ray cluster at {head} asks for no token: whoever reaches its "
                f"ports can run programs on all of its machines. {HOW} "
                f"--insecure-cluster uses it all the same."
            )
        return "disabled"
    if own is None:
        raise ConfigError(
            f"the Ray cluster at {head} asks for a token, and none is set here. {HOW}"
        )
    if _is_refused(head, own):
        raise ConfigError(
            f"the Ray cluster at {head} has another token than this machine. {HOW}"
        )
    return "token"


def _is_refused(head: str, own: str | None) -> bool:
    """Asks a head with a token, or without; returns whether it lets nobody in so."""
    import grpc

    metadata = [] if own is None else [("authorization", f"Bearer {own}")]
    direct = [("grpc.enable_http_proxy", 0)]  # as Ray: no proxy gets the token
    with grpc.insecure_channel(head, direct) as channel:
        ask = channel.unary_unary(QUESTION)
        try:
            ask(b"", timeout=SECONDS, metadata=metadata, wait_for_ready=True)
        except grpc.RpcError as error:
            code = error.code()
            if code == grpc.StatusCode.UNAUTHENTICATED:
                return True
            if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                raise ConfigError(
                    f"no Ray head answers at {head} within {SECONDS:.0f} seconds."
                ) from None
    return False
