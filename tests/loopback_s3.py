"""A server of a few words of S3, on this machine, that keeps objects in memory."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
}


class Handler(BaseHTTPRequestHandler):
    """Answers GET, HEAD, PUT, DELETE of objects, and lists of a bucket."""

    protocol_version = "HTTP/1.1"
    objects: dict[str, bytes]
    puts: list[str]

    def do_GET(self) -> None:  # noqa: N802
        """Gives an object, or lists those of a prefix."""
        place, asked = urlsplit(self.path), parse_qs(urlsplit(self.path).query)
        key = unquote(place.path).lstrip("/")
        if "list-type" in asked or "delimiter" in asked or "prefix" in asked:
            self._answer(200, self._list(key.rstrip("/"), asked))
        elif key in self.objects:
            self._answer(200, self.objects[key], **_about(self.objects[key]))
        else:
            self._answer(404, _error("NoSuchKey"))

    def do_HEAD(self) -> None:  # noqa: N802
        """Tells of an object, or that the bucket is there."""
        key = unquote(urlsplit(self.path).path).lstrip("/")
        if key in self.objects:
            self._answer(200, self.objects[key], **_about(self.objects[key]))
        else:
            self._answer(200 if key.rstrip("/").count("/") == 0 else 404, b"")

    def do_PUT(self) -> None:  # noqa: N802
        """Keeps an object."""
        key = unquote(urlsplit(self.path).path).lstrip("/")
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            content = _unchunked(content)
        if key.count("/"):
            self.objects[key] = content
            self.puts.append(key)
        self._answer(200, b"", **_about(content))

    def do_DELETE(self) -> None:  # noqa: N802
        """Removes an object."""
        self.objects.pop(unquote(urlsplit(self.path).path).lstrip("/"), None)
        self._answer(204, b"")

    def do_POST(self) -> None:  # noqa: N802
        """Removes several objects."""
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        bucket = unquote(urlsplit(self.path).path).strip("/")
        for part in text.split("<Key>")[1:]:
            self.objects.pop(f"{bucket}/{part.split('</Key>')[0]}", None)
        self._answer(200, b"<DeleteResult></DeleteResult>")

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def _list(self, bucket: str, asked: dict[str, list[str]]) -> bytes:
        prefix = asked.get("prefix", [""])[0]
        delimiter = asked.get("delimiter", [""])[0]
        contents, folders = [], set()
        for key, content in sorted(self.objects.items()):
            name = key.removeprefix(f"{bucket}/")
            if name == key or not name.startswith(prefix):
                continue
            rest = name[len(prefix) :]
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.split(delimiter)[0] + delimiter)
                continue
            tag = hashlib.md5(content).hexdigest()  # noqa: S324 -- as S3 does
            contents.append(
                f"<Contents><Key>{escape(name)}</Key><ETag>&quot;{tag}&quot;</ETag>"
                f"<LastModified>2026-01-01T00:00:00.000Z</LastModified>"
                f"<Size>{len(content)}</Size></Contents>"
            )
        common = "".join(
            f"<CommonPrefixes><Prefix>{escape(f)}</Prefix></CommonPrefixes>"
            for f in sorted(folders)
        )
        return (
            '<?xml version="1.0"?><ListBucketResult '
            'xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{bucket}</Name><IsTruncated>false</IsTruncated>"
            f"<KeyCount>{len(contents) + len(folders)}</KeyCount>"
            f"{''.join(contents)}{common}</ListBucketResult>"
        ).encode()

    def _answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _about(content: bytes) -> dict[str, str]:
    tag = hashlib.md5(content).hexdigest()  # noqa: S324 -- as S3 does
    return {"ETag": f'"{tag}"', "Last_Modified": formatdate(0, usegmt=True)}


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code></Error>".encode()


def _unchunked(content: bytes) -> bytes:
    """Returns what was sent in chunks, each behind a line with its length."""
    found = b""
    while content:
        head, content = content.split(b"\r\n", 1)
        length = int(head.split(b";")[0], 16)
        found, content = found + content[:length], content[length + 2 :]
        if not length:
            break
    return found


@contextlib.contextmanager
def running() -> Iterator[tuple[str, type[Handler]]]:
    """Yields the address of a server, and its handler with the objects by key."""
    handler = type("Own", (Handler,), {"objects": {}, "puts": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler
    finally:
        server.shutdown()
        server.server_close()
