"""The server's addresses, and what answers there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

import seqclf
from seqclf.errors import SeqclfError
from seqclf.runs import AnyRun
from seqclf.serve import inference_protocol as v2
from seqclf.serve import tensorflow_serving as v1
from seqclf.serve.bodies import JSON, read, written
from seqclf.serve.counted import CONTENT_TYPE, Counted
from seqclf.serve.guard import Guard, body_of, headers_of
from seqclf.serve.limits import Limits
from seqclf.serve.models import DEFAULT, Models, Served
from seqclf.serve.refusal import RefusedError

SEVERAL = 2  # connections, where that is not known
FEW = 4000  # characters, which are answered in some milliseconds
GONE = 499  # as nginx counts clients that did not wait
Handler = Callable[[Request], Awaitable[Response]]


class Service:
    """One server's answers.

    Attributes:
      models: What it serves.
      limits: What a request may take.
      guard: Who may ask.
      counted: What it counts.
      is_ready: False before the models are open, and once it ends.
      connections: Tells how many clients are connected.
    """

    def __init__(
        self,
        models: Models,
        limits: Limits,
        guard: Guard,
        page: Callable[[list[AnyRun]], str],
        taken: Callable[[Served], None] = lambda served: None,
    ) -> None:
        """Takes what it serves.

        Args:
          models: Not opened yet.
          limits: What a request may take.
          guard: Who may ask.
          page: Makes the page of these runs, HTML; in a thread, once for them.
          taken: Hears of a model that was taken up later.
        """
        self.models, self.limits, self.guard = models, limits, guard
        self.counted = Counted(lambda: self.waiting)
        self.is_ready = False
        self.connections: Callable[[], int] = lambda: SEVERAL
        self._make_page, self._taken = page, taken
        self._page: tuple[list[Served], asyncio.Task[str]] | None = None

    @property
    def waiting(self) -> int:
        """Requests that wait for an answer."""
        return sum(
            desk.waiting for served in self.models.served for desk in served.desks
        )

    def app(self) -> Starlette:
        """Returns the application."""
        paths: list[tuple[str, str, Handler]] = [
            ("GET", "/", self.page),
            ("GET", "/metrics", self.metrics),
            ("GET", "/openapi.json", self.openapi),
            ("POST", "/explain", self.explain),
            ("POST", "/v1/models/{model}:predict", self.predict),
            ("POST", "/v1/models/{model}:explain", self.explain),
            ("GET", "/v1/models/{model}", self.status),
            ("GET", "/v2", self.server),
            ("GET", "/v2/health/live", self.live),
            ("GET", "/v2/health/ready", self.ready),
            ("GET", "/v2/models/{model}", self.model),
            ("GET", "/v2/models/{model}/ready", self.model_ready),
            ("POST", "/v2/models/{model}/infer", self.infer),
        ]
        routes = [
            Route(path, self._guarded(handler), methods=[method])
            for method, path, handler in paths
        ]
        cors = Middleware(
            CORSMiddleware,
            allow_origins=list(self.guard.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", v2.HEADER_LENGTH],
            expose_headers=["retry-after", v2.HEADER_LENGTH],
        )
        return Starlette(
            routes=routes,
            middleware=[cors] if self.guard.origins else [],
            exception_handlers={HTTPException: _http_error},
            lifespan=lambda app: self.open(),
        )

    async def predict(self, request: Request) -> Response:
        """Answers texts in the shape of TensorFlow Serving."""
        body = read(await body_of(request, self.limits))
        texts = v1.texts_of(body, self.limits.texts)
        served = self._model(request)
        probabilities = await served.probabilities(texts, self._is_alone(texts))
        self.counted.texts.inc(len(texts))
        return _json(v1.predictions(body, served, probabilities))

    async def explain(self, request: Request) -> Response:
        """Says which words moved the answers to texts."""
        body = read(await body_of(request, self.limits))
        texts = v1.texts_of(body, self.limits.texts)
        served = self._model(request)
        found = await served.explanations(texts, self.limits.timeout)
        return _json(v1.explanations(served, found))

    async def infer(self, request: Request) -> Response:
        """Answers texts by the Open Inference Protocol."""
        body = await body_of(request, self.limits)
        served = self._model(request)
        length = request.headers.get(v2.HEADER_LENGTH)
        asked = v2.asked(body, length, served, self.limits.texts)
        here = self._is_alone(asked.texts)
        probabilities = await served.probabilities(asked.texts, here)
        self.counted.texts.inc(len(asked.texts))
        content, head = v2.answer(asked, served, probabilities)
        if head is None:
            return Response(content, media_type=JSON)
        headers = {v2.HEADER_LENGTH: str(head)}
        return Response(content, headers=headers, media_type="application/octet-stream")

    async def status(self, request: Request) -> Response:
        """Says that a model is there, as TensorFlow Serving."""
        return _json(v1.status(self._model(request)))

    async def server(self, request: Request) -> Response:
        """Says what this server is."""
        return _json(v2.server())

    async def live(self, request: Request) -> Response:
        """Says that it lives."""
        return _json({"live": True})

    async def ready(self, request: Request) -> Response:
        """Says whether it takes requests."""
        return _json({"ready": self.is_ready}, 200 if self.is_ready else 503)

    async def model(self, request: Request) -> Response:
        """Says what a model takes and gives."""
        return _json(v2.model(self._model(request)))

    async def model_ready(self, request: Request) -> Response:
        """Says that a model is there."""
        return _json({"name": self._model(request).name, "ready": True})

    async def metrics(self, request: Request) -> Response:
        """Gives the counts."""
        return Response(self.counted.page(), media_type=CONTENT_TYPE)

    async def openapi(self, request: Request) -> Response:
        """Describes all of this, for tools."""
        file = resources.files("seqclf.serve").joinpath("openapi.json")
        described = read(file.read_bytes())
        described["info"]["version"] = seqclf.__version__
        return _json(described)

    async def page(self, request: Request) -> Response:
        """Shows the models; made when it is first asked for, once for all who ask."""
        served = list(self.models.served)
        if self._page is None or self._page[0] != served:
            runs = [one.run for one in served]
            task = asyncio.create_task(asyncio.to_thread(self._make_page, runs))
            self._page = (served, task)
        try:
            return HTMLResponse(await asyncio.shield(self._page[1]))
        except Exception:
            self._page = None  # the next who asks has it tried again
            raise

    def _is_alone(self, texts: list[str]) -> bool:
        """Tells whether nobody else could ask while such texts are answered."""
        return self.connections() == 1 and sum(map(len, texts)) < FEW

    def _model(self, request: Request) -> Served:
        return self.models.find(request.path_params.get("model", DEFAULT))

    def _guarded(self, handler: Handler) -> Handler:
        """Returns a handler that lets in who may ask, counts, and says why not."""
        name = handler.__name__

        async def guarded(request: Request) -> Response:
            start, status = time.perf_counter(), 500
            try:
                self.guard.check(request)
                response = await handler(request)
                status = response.status_code
                return response
            except RefusedError as refused:
                status = refused.status
                headers = headers_of(refused)
                return _json({"error": refused.sentence}, status, headers)
            except SeqclfError as error:
                status = 422
                return _json({"error": str(error)}, status)
            except ClientDisconnect:
                status = GONE
                return Response(status_code=status)  # nobody reads it
            except Exception as error:
                # Not its message: it may quote a text.
                places = "".join(traceback.format_tb(error.__traceback__))
                kind = type(error).__name__
                logging.getLogger("seqclf").error("%s in %s:\n%s", kind, name, places)
                said = f"something inside seqclf failed ({kind}); its log says where."
                return _json({"error": said}, status)
            finally:
                self.counted.requests.labels(name, status).inc()
                self.counted.seconds.labels(name).observe(time.perf_counter() - start)

        return guarded

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Opens the models, and takes up new ones, for as long as it is entered.

        Raises:
          RunError: If a model cannot be opened.
          ConfigError: If two have the same name.
        """
        await self.models.open()
        watching = asyncio.create_task(self._watch())
        self.is_ready = True
        try:
            yield
        finally:
            self.is_ready = False
            watching.cancel()

    async def _watch(self) -> None:
        async for served in self.models.watch():
            self.counted.taken.inc()
            self._page = None  # or it would keep the model before in memory
            with contextlib.suppress(OSError):  # nobody hears it any more
                self._taken(served)


def _json(
    values: Any, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return Response(written(values), status, headers, media_type=JSON)


async def _http_error(request: Request, error: Exception) -> Response:
    """Answers an address that is not there, or another method."""
    status = getattr(error, "status_code", 500)
    path = request.scope["path"]
    said = {
        404: f"there is nothing at {path}; GET /openapi.json says what there is.",
        405: f"{path} takes no {request.method}; GET /openapi.json says what it takes.",
    }
    headers = getattr(error, "headers", None)
    return _json({"error": said.get(status, str(error))}, status, headers)
