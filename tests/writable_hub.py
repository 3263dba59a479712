"""The hub of this machine, to which one can also push."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from loopback_hub import Answer, LoopbackHub, Repository, as_json

TOKEN = "hf_ofthistest"  # the one that may write, and only to `me`
FIRST = "0" * 40  # the commit of a new repository, with nothing but .gitattributes


class WritableHub(LoopbackHub):
    """Takes repositories, branches and commits from whoever has the token.

    `private` has the repositories that were made private; `messages` those of commits.
    """

    def __init__(self) -> None:
        super().__init__({})
        self.repositories = {}
        self.private: set[str] = set()
        self.messages: list[str] = []

    def find(self, path: str, query: str) -> Answer:
        answer = super().find(path, query)
        parts = path.split("/")
        if answer.status == 200 and path.startswith("/api/models/") and "siblings" in (
            about := json.loads(answer.body)
        ):  # fmt: skip
            id = "/".join(parts[3:5])
            files = self.repositories[id].commits[about["sha"]]
            for file in about["siblings"]:
                file["size"] = len(files[file["rfilename"]])
            return as_json(about | {"private": id in self.private})
        return answer

    def take(self, path: str, token: str | None, body: bytes) -> Answer:
        if path == "/api/validate-yaml":
            return as_json({"errors": [], "warnings": []})
        if token != TOKEN:
            return Answer(401)
        if path == "/api/repos/create":
            return self.create(json.loads(body))
        owner, name, what, *rest = path.removeprefix("/api/models/").split("/")
        id, branch = f"{owner}/{name}", unquote("/".join(rest))
        if owner != "me":
            return Answer(403)
        return getattr(self, f"take_{what}")(id, branch, body)

    def create(self, asked: dict) -> Answer:
        id = f"{asked.get('organization', 'me')}/{asked['name']}"
        if asked.get("organization", "me") != "me":
            return Answer(403)
        url = {"url": f"{self.url}/{id}"}
        if id in self.repositories:
            return Answer(409, json.dumps(url).encode())
        start = {FIRST: {".gitattributes": b""}}
        self.repositories[id] = Repository(start, {"main": FIRST})
        if asked.get("private") or asked.get("visibility") == "private":
            self.private.add(id)
        return as_json(url)

    def take_branch(self, id: str, branch: str, body: bytes) -> Answer:
        refs = self.repositories[id].refs
        if branch in refs:
            return Answer(409)
        refs[branch] = refs["main"]
        return as_json({})

    def take_preupload(self, id: str, branch: str, body: bytes) -> Answer:
        mode = {"uploadMode": "regular", "shouldIgnore": False}
        files = json.loads(body)["files"]
        return as_json({"files": [{"path": f["path"]} | mode for f in files]})

    def take_commit(self, id: str, branch: str, body: bytes) -> Answer:
        found = self.repositories[id]
        files = dict(found.commits[found.refs[branch]])
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            match line["key"]:
                case "header":
                    if value.get("parentCommit") != found.refs[branch]:
                        return Answer(412)
                    self.messages.append(value["summary"])
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                case "deletedFile":
                    del files[value["path"]]
        commit = hashlib.sha1(body).hexdigest()
        found.commits[commit] = files
        found.refs[branch] = commit
        url = f"{self.url}/{id}/commit/{commit}"
        return as_json({"commitUrl": url, "commitOid": commit, "success": True})

    def files(self, id: str, branch: str = "main") -> dict[str, bytes]:
        found = self.repositories[id]
        return found.commits[found.refs[branch]]


def visit(patch: pytest.MonkeyPatch, home: Path, url: str, token: str | None) -> None:
    """Makes this process ask that hub, with a cache below `home`."""
    from huggingface_hub import constants

    patch.setenv("NO_PROXY", "*")
    patch.setattr(constants, "ENDPOINT", url)
    template = f"{url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    patch.setattr(constants, "HF_HUB_OFFLINE", False)
    patch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    patch.setattr(constants, "HF_ASSETS_CACHE", str(home / "assets"))
    patch.setattr(constants, "HF_TOKEN_PATH", str(home / "token"))
    patch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    patch.delenv("HF_TOKEN", raising=False)
    if token:
        patch.setenv("HF_TOKEN", token)
