"""`seqclf serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seqclf.cli import _options as options
from seqclf.cli._options import option
from seqclf.cli._screen import Screen

Runs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="RUN",
        help="Runs, by name or path, or hf://OWNER/NAME; A+B is their mean.",
        show_default="what predict takes, at any time",
        autocompletion=options.complete_run,
    ),
]
Host = Annotated[
    str,
    option("--host", "Address to listen at; beyond this machine with --token-file."),
]
Port = Annotated[int, option("--port", "Port to listen at; 0 takes a free one.")]
TokenFile = Annotated[
    Path | None,
    option(
        "--token-file",
        "File with the token that requests have to bear.",
        "none is needed",
        metavar="FILE",
    ),
]
Cors = Annotated[
    list[str] | None,
    option(
        "--cors",
        "Let pages of this origin ask from a browser, such as https://example.org. May "
        "be given again.",
        "the server's own alone",
        metavar="ORIGIN",
    ),
]
MaxTexts = Annotated[int, option("--max-texts", "Most texts of a request.")]
MaxBytes = Annotated[int, option("--max-bytes", "Most bytes of a request.")]
Queue = Annotated[int, option("--queue", "Most requests that wait, of each model.")]
Timeout = Annotated[
    float,
    option("--timeout", "Seconds for a request to come, and to be answered."),
]


def serve(
    runs: Runs = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    token_file: TokenFile = None,
    cors: Cors = None,
    max_texts: MaxTexts = 1024,
    max_bytes: MaxBytes = 1_000_000,
    queue: Queue = 1000,
    timeout: Timeout = 10.0,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    cache_dir: options.CacheDir = options.DEFAULT_CACHE,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Answer texts over HTTP, with a page in which one watches the model read.

    In the shapes of TensorFlow Serving (POST /v1/models/NAME:predict) and of the Open
    Inference Protocol (/v2/models/NAME/infer); docs/serving.md has them. A run that is
    trained anew is taken up by itself. Ends with Ctrl-C.

    Example: seqclf serve
    """
    from seqclf.serve.extra import require_extra
    from seqclf.serve.limits import Limits

    require_extra()
    from seqclf.serve.app import Service
    from seqclf.serve.models import DEFAULT, Models
    from seqclf.serve.page import page_of
    from seqclf.serve.server import address_of, bind, guard_of
    from seqclf.serve.server import serve as run_server

    screen = Screen(quiet)
    limits = Limits(max_texts, max_bytes, queue, timeout)
    guard = guard_of(host, token_file, cors or [])
    service = Service(
        Models(runs or [], models_dir, limits),
        limits,
        guard,
        page=lambda served: page_of(served, cache_dir),
        taken=lambda one: screen.note(f"Taken up: {one.name}."),
    )
    with bind(host, port) as bound:
        address = address_of(bound)

        def started() -> None:
            for one in service.models.served:
                name = one.name if runs else DEFAULT
                path = f"{address}/v1/models/{name}:predict"
                screen.insist(f"{one.name}  POST {path}")
            if guard.token is None:
                screen.insist(f"Look at it: {address}/  (Ctrl-C ends)")
            else:
                screen.insist("Requests need the token. (Ctrl-C ends)")

        is_clean = run_server(service, bound, started)
    if is_clean:
        screen.note("Ended; every request that had come was answered.")
    else:
        screen.insist("Ended before every request was answered.")
