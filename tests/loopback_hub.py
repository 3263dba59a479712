"""A Hugging Face Hub of one data set, on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class LoopbackHub(ThreadingHTTPServer):
    """Serves files over the Hub's routes.

    `asked` lists the paths of all requests.
    """

    def __init__(self, repository: str, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repository, self.files, self.asked = repository, files, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def find(self, path: str) -> bytes | None:
        api = f"/api/datasets/{self.repository}"
        if path in (api, f"{api}/revision/{COMMIT}", f"{api}/revision/main"):
            siblings = [{"rfilename": name} for name in self.files]
            about = {"id": self.repository, "sha": COMMIT, "siblings": siblings}
            return json.dumps(about).encode()
        if path.startswith(f"{api}/tree/"):
            return json.dumps(self.tree(path)).encode()
        for revision in ("main", COMMIT):
            prefix = f"/datasets/{self.repository}/resolve/{revision}/"
            if path.startswith(prefix):
                return self.files.get(path.removeprefix(prefix))
        return None

    def tree(self, path: str) -> list[dict[str, object]]:
        inside = path.split("/tree/", 1)[1].split("/", 1)[1:]
        return [
            {"type": "file", "path": name, "size": len(body), "oid": name}
            for name, body in self.files.items()
            if not inside or name.startswith(inside[0])
        ]


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackHub

    def answer(self) -> bytes:
        """Sends status and headers, and returns the body."""
        path = self.path.split("?")[0]
        self.server.asked.append(path)
        found = self.server.find(path)
        self.send_response(404 if found is None else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        if found is None:
            self.send_header("X-Error-Code", "EntryNotFound")
        else:
            self.send_header("ETag", f'"{hashlib.sha256(found).hexdigest()}"')
        self.send_header("Content-Length", str(len(found or b"")))
        self.end_headers()
        return found or b""

    def do_HEAD(self) -> None:  # noqa: N802 -- the base class's name
        self.answer()

    def do_GET(self) -> None:  # noqa: N802
        self.wfile.write(self.answer())

    def log_message(self, *arguments: object) -> None:
        pass
