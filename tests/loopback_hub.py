"""A Hugging Face Hub of a few repositories, on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

Files = Mapping[str, bytes]


@dataclass
class Repository:
    """A data set with its history.

    Attributes:
      commits: Files by commit, 40 hexadecimal digits.
      refs: Commits by branch or tag; `main` is there.
      gated: Whether everything but its description needs leave.
    """

    commits: Mapping[str, Files]
    refs: dict[str, str]
    gated: bool = False

    def commit(self, revision: str) -> str | None:
        name = self.refs.get(revision, revision)
        return name if name in self.commits else None


def repository(files: Files, commit: str = "a" * 40, **options: object) -> Repository:
    """Returns a data set of one commit."""
    return Repository({commit: files}, {"main": commit}, **options)


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def refusal(status: int, code: str) -> Answer:
    return Answer(status, headers={"X-Error-Code": code})


class LoopbackHub(ThreadingHTTPServer):
    """Serves files over the Hub's routes.

    `asked` lists the paths of all requests. A data set whose owner is `slow` is never
    answered for; `status` is the answer to everything once it is set.
    """

    daemon_threads = True

    def __init__(self, repositories: Mapping[str, Repository]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories = repositories
        self.asked: list[str] = []
        self.status: int | None = None
        self.closing = threading.Event()
        polled = {"target": self.serve_forever, "args": (0.02,)}  # closes at once
        threading.Thread(**polled, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def close(self) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()

    def find(self, path: str, query: str) -> Answer:
        # A model has no kind in its address; here all names are of both kinds.
        if path.count("/") < 3:  # what the library asks beside repositories
            return Answer(404)
        kinds = "/api/", "/datasets/"
        return self.found(path if path.startswith(kinds) else f"/datasets{path}", query)

    def found(self, path: str, query: str) -> Answer:
        if self.status:
            return Answer(self.status)
        api = path.startswith("/api/")
        owner, name, *rest = path.removeprefix("/api").split("/")[2:]
        if owner == "slow":
            self.closing.wait(60)
        found = self.repositories.get(f"{owner}/{name}")
        if found is None:
            return refusal(401, "RepoNotFound")  # so the Hub, to the nameless
        if not rest:
            rest = ["revision", "main"]
        revision = unquote(rest[1])
        commit = found.commit(revision)
        if commit is None:
            return refusal(404, "RevisionNotFound")
        files = found.commits[commit]
        if not api:
            return self.file(found, commit, files.get("/".join(rest[2:])))
        if rest[0] == "tree":
            inside = unquote("/".join(rest[2:]))
            return as_json(tree(files, inside, "recursive=true" in query.lower()))
        siblings = [{"rfilename": file} for file in files]
        gated = "manual" if found.gated else False
        about = {"id": f"{owner}/{name}", "sha": commit, "gated": gated}
        return as_json(about | {"siblings": siblings})

    def take(self, path: str, token: str, body: bytes) -> Answer:
        """Nothing can be written here; see `writable_hub`."""
        return Answer(405)

    @staticmethod
    def file(found: Repository, commit: str, body: bytes | None) -> Answer:
        if found.gated:
            return refusal(401, "GatedRepo")
        if body is None:
            answer = refusal(404, "EntryNotFound")
        else:
            etag = f'"{hashlib.sha256(body).hexdigest()}"'
            answer = Answer(200, body, {"ETag": etag})
        answer.headers["X-Repo-Commit"] = commit
        return answer


def as_json(value: object) -> Answer:
    return Answer(body=json.dumps(value).encode())


def tree(files: Files, folder: str, recursive: bool) -> list[dict[str, object]]:
    """Lists what stands right in a folder, or all that stands below it."""
    prefix = f"{folder}/" if folder else ""
    entries: dict[str, dict[str, object]] = {}
    for name, body in files.items():
        if not name.startswith(prefix):
            continue
        *folders, _ = name.removeprefix(prefix).split("/")
        for depth in range(1, len(folders) + 1):
            path = prefix + "/".join(folders[:depth])
            entries[path] = {"type": "directory", "path": path, "oid": path}
        entries[name] = {"type": "file", "path": name, "size": len(body), "oid": name}
    deep = len(prefix.split("/"))
    return [
        entry
        for path, entry in entries.items()
        if recursive or len(path.split("/")) == deep
    ]


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackHub

    def answer(self) -> bytes:
        """Sends status and headers, and returns the body."""
        path, _, query = self.path.partition("?")
        self.server.asked.append(path)
        answer = self.server.find(path, query)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        return answer.body

    def do_HEAD(self) -> None:  # noqa: N802 -- the base class's name
        self.answer()

    def do_GET(self) -> None:  # noqa: N802
        body = self.answer()
        with suppress(ConnectionError):  # who waited for a slow answer has gone
            self.wfile.write(body)

    def do_POST(self) -> None:  # noqa: N802
        """Hands what is written over to a hub that takes it."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        path = self.path.partition("?")[0]
        self.server.asked.append(path)
        answer = self.server.take(path, token, body)
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *arguments: object) -> None:
        pass
