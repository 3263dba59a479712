"""The least server there can be: `Classifier.predict_proba` in Starlette's handler."""

from __future__ import annotations

import json
import socket
import sys

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seqclf.classifier import Classifier

options = json.loads(sys.argv[1])
classifier = Classifier.open(options["run"])


async def predict(request: Request) -> Response:
    """Answers in the event loop itself, without a check."""
    texts = msgspec.json.decode(await request.body())["instances"]
    rows = classifier.predict_proba(texts)
    labels = [classifier.labels[i] for i in rows.argmax(axis=1)]
    answers = [
        {"label": label, "probabilities": row}
        for label, row in zip(labels, rows.tolist(), strict=True)
    ]
    body = msgspec.json.encode({"predictions": answers})
    return Response(body, media_type="application/json")


app = Starlette(routes=[Route("/{path:path}", predict, methods=["POST"])])
listening = socket.socket(proto=socket.IPPROTO_TCP)  # or Nagle's algorithm stays on
listening.bind(("127.0.0.1", 0))
print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
uvicorn.Server(config).run([listening])
