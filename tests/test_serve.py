"""`seqclf serve`: what it answers, what it refuses, and how it ends."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from conftest import TINY, run_in
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from seqclf.classifier import Classifier
from seqclf.errors import ConfigError, RunError
from seqclf.explain import explain
from seqclf.installed import install_line
from seqclf.runs.comparisons import run_or_default
from seqclf.serve import extra, models
from seqclf.serve.app import Service
from seqclf.serve.desk import Desk
from seqclf.serve.guard import Guard
from seqclf.serve.limits import Limits
from seqclf.serve.models import Models
from seqclf.serve.refusal import RefusedError
from seqclf.serve.server import bind, guard_of

LIMITS = Limits(texts=8, bytes=2000, queue=3, timeout=5.0)
TEXTS = ["a good film", "", "bad, bad 電影 😀"]
RUN = "reviews-gru-0"
NASTY = [*TEXTS[1:], "x" * 300, "\x00\x01", "<b>good</b>", "\u202egood", "'\"\\"]


@contextlib.contextmanager
def client(folder: Path, *asked: str, **changed: object) -> Iterator[TestClient]:
    """Yields a client of a server in this process."""
    limits, guard = changed.pop("limits", LIMITS), changed.pop("guard", Guard())
    served = Models([Path(one) for one in asked], folder, limits)  # type: ignore[arg-type]
    changed = {"page": lambda runs: f"page of {[r.name for r in runs]}"} | changed
    service = Service(served, limits, guard, **changed)  # type: ignore[arg-type]
    base = "http://localhost"
    with TestClient(service.app(), base, raise_server_exceptions=True) as one:
        one.service = service  # type: ignore[attr-defined]
        yield one


@pytest.fixture(scope="module")
def folder(workplace) -> Path:
    return workplace / "models"


@pytest.fixture(scope="module")
def ask(folder) -> Iterator[TestClient]:
    with client(folder, RUN) as one:
        yield one


@pytest.fixture(scope="module")
def expected(folder) -> np.ndarray:
    return Classifier.open(RUN, folder).predict_proba(NASTY)


PREDICT = f"/v1/models/{RUN}:predict"
INFER = f"/v2/models/{RUN}/infer"


# What it answers.


def test_answers_have_the_shape_of_tensorflow_serving(ask, folder):
    classifier = Classifier.open(RUN, folder)
    rows = classifier.predict_proba(TEXTS)
    labels = classifier.predict(TEXTS)
    found = ask.post(PREDICT, json={"instances": TEXTS}).json()
    assert found == {
        "predictions": [
            {"label": label, "probabilities": pytest.approx(row.tolist())}
            for label, row in zip(labels, rows, strict=True)
        ]
    }
    for values in (TEXTS, {"text": TEXTS}):
        found = ask.post("/v1/models/default:predict", json={"inputs": values}).json()
        assert found == {
            "outputs": {"label": labels, "probabilities": pytest.approx(rows)}
        }


def test_a_text_may_be_an_object_or_bytes(ask):
    coded = base64.b64encode("schön 😀".encode()).decode()
    forms = ["schön 😀", {"text": "schön 😀"}, {"b64": coded}, {"text": {"b64": coded}}]
    found = ask.post(PREDICT, json={"instances": forms}).json()["predictions"]
    assert found == [found[0]] * 4


@pytest.mark.parametrize("shape", [[len(NASTY)], [len(NASTY), 1]])
def test_answers_follow_the_open_inference_protocol(shape, ask, expected):
    data = NASTY if len(shape) == 1 else [[text] for text in NASTY]
    tensor = {"name": "text", "shape": shape, "datatype": "BYTES", "data": data}
    found = ask.post(INFER, json={"id": "7", "inputs": [tensor]}).json()
    assert (found["id"], found["model_name"]) == ("7", RUN)
    label, probabilities = found["outputs"]
    assert (label["name"], label["datatype"], label["shape"]) == (
        "label", "BYTES", shape,
    )  # fmt: skip
    assert probabilities["shape"] == [len(NASTY), 2]
    assert np.reshape(probabilities["data"], (-1, 2)) == pytest.approx(expected)
    one = {"inputs": [tensor], "outputs": [{"name": "probabilities"}]}
    assert [o["name"] for o in ask.post(INFER, json=one).json()["outputs"]] == [
        "probabilities"
    ]


def test_a_model_says_what_it_takes_and_gives(ask, finished_run):
    found = ask.get(f"/v2/models/{RUN}").json()
    assert found["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert [one["shape"] for one in found["outputs"]] == [[-1], [-1, 2]]
    assert found["parameters"]["labels"] == list(finished_run.labels)
    assert ask.get(f"/v2/models/{RUN}/ready").json() == {"name": RUN, "ready": True}
    assert ask.get("/v2").json()["name"] == "seqclf"
    (state,) = ask.get(f"/v1/models/{RUN}").json()["model_version_status"]
    assert (state["version"], state["state"]) == ("1", "AVAILABLE")


@pytest.mark.slow
def test_triton_s_own_client_is_answered(folder, workplace):
    http = pytest.importorskip("tritonclient.http")
    with running(workplace, RUN) as address:
        triton = http.InferenceServerClient(address.removeprefix("http://"))
        assert triton.is_server_live()
        assert triton.is_server_ready()
        assert triton.is_model_ready(RUN)
        assert triton.get_model_metadata(RUN)["inputs"][0]["name"] == "text"
        rows = Classifier.open(RUN, folder).predict_proba(NASTY)
        texts = np.array(NASTY, object)
        for is_binary in (True, False):  # the first is how it asks by itself
            given = http.InferInput("text", [len(NASTY)], "BYTES")
            given.set_data_from_numpy(texts, binary_data=is_binary)
            outputs = None
            if not is_binary:
                names = ("label", "probabilities")
                outputs = [
                    http.InferRequestedOutput(n, binary_data=False) for n in names
                ]
            found = triton.infer(RUN, [given], outputs=outputs)
            assert found.as_numpy("probabilities") == pytest.approx(rows)
            labels = [
                one.decode() if isinstance(one, bytes) else one
                for one in found.as_numpy("label")
            ]
            assert labels == Classifier.open(RUN, folder).predict(NASTY)
        triton.close()


def test_explanations_are_those_of_the_command(ask, folder):
    body = {"instances": TEXTS}
    found = ask.post(f"/v1/models/{RUN}:explain", json=body).json()
    assert ask.post("/explain", json=body).json() == found
    told = found["explanations"]
    own = explain(Classifier.open(RUN, folder), TEXTS[0])
    assert [word["token"] for word in told[0]["words"]] == list(own.tokens)
    effects = [word["effect"] for word in told[0]["words"]]
    assert effects == pytest.approx(own.effects.effects.tolist(), abs=1e-6)
    assert told[1]["words"] == []


def test_who_asks_for_too_many_explanations_is_told(folder, monkeypatch):
    def slow(classifier, text):
        time.sleep(0.3)
        return explain(classifier, text)

    monkeypatch.setattr(models, "explain", slow)
    limits = dataclasses.replace(LIMITS, timeout=0.5)
    with client(folder, RUN, limits=limits) as ask:
        found = ask.post("/explain", json={"instances": ["good"] * 8})
        assert found.status_code == 503
        assert "1 of 8 texts were explained within 0.5 s" in found.json()["error"]
        assert ask.post("/explain", json={"instances": ["good"]}).status_code == 200


def test_what_a_mean_cannot_explain_is_said(folder, monkeypatch):
    def fail(classifier, text):
        raise ConfigError("the models split the text otherwise.")

    monkeypatch.setattr(models, "explain", fail)
    with client(folder, RUN) as ask:
        found = ask.post("/explain", json={"instances": ["good"]})
    assert found.status_code == 422
    assert found.json() == {"error": "the models split the text otherwise."}


def test_a_fault_of_ours_tells_its_place_and_no_text(folder, monkeypatch, caplog):
    def fail(classifier, text):
        raise ValueError(text)

    monkeypatch.setattr(models, "explain", fail)
    with client(folder, RUN) as ask:
        found = ask.post("/explain", json={"instances": ["confidential"]})
    assert found.status_code == 500
    assert "ValueError" in caplog.text
    assert "test_serve.py" in caplog.text
    assert "confidential" not in f"{caplog.text}{found.text}"


def test_a_page_that_could_not_be_made_is_tried_again(folder):
    tries = []

    def page(runs):
        tries.append(runs)
        if len(tries) == 1:
            raise OSError("no room")
        return "page"

    with client(folder, RUN, page=page) as ask:
        assert ask.get("/").status_code == 500
        assert [ask.get("/").text for _ in range(3)] == ["page"] * 3
    assert len(tries) == 2


def test_no_text_is_answered_by_nothing(ask):
    assert ask.post(PREDICT, json={"instances": []}).json() == {"predictions": []}
    assert ask.post("/explain", json={"instances": []}).json() == {"explanations": []}
    tensor = {"name": "text", "shape": [0], "datatype": "BYTES", "data": []}
    found = ask.post(INFER, json={"inputs": [tensor]}).json()
    assert [one["data"] for one in found["outputs"]] == [[], []]


def test_it_counts_and_describes_itself(folder):
    with client(folder, RUN) as ask:
        ask.post(PREDICT, json={"instances": TEXTS})
        ask.post(PREDICT, content="no JSON")
        counts = ask.get("/metrics").text
        described = ask.get("/openapi.json").json()
        assert ask.get("/").text == f"page of ['{RUN}']"
    assert 'seqclf_requests_total{asked="predict",status="200"} 1.0' in counts
    assert 'seqclf_requests_total{asked="predict",status="400"} 1.0' in counts
    assert "seqclf_texts_total 3.0" in counts
    assert "good" not in counts
    own = {
        (route.path, method.lower())
        for route in ask.app.routes
        for method in route.methods - {"HEAD"}
    }
    assert own == {
        (path, method) for path, one in described["paths"].items() for method in one
    }
    assert "http" not in json.dumps(described["paths"])


WORDS, MOODS = ("war", "love"), ("sad", "glad")


@pytest.mark.slow
def test_several_labels_a_text(tmp_path):
    kinds = [(i, a, b) for i in range(30) for a in WORDS for b in MOODS]
    rows = [
        {"text": f"{a} {b} {i}", "labels": [a, b][: 1 + i % 2]} for i, a, b in kinds
    ]
    lines = "\n".join(map(json.dumps, rows))
    (tmp_path / "films.jsonl").write_text(lines)
    done = run_in(tmp_path, "train", "--data=films.jsonl", "--cell=rnn", *TINY)
    assert done.exit_code == 0, done.output
    run = run_or_default(None, tmp_path / "models")
    classifier = Classifier.open(run)
    texts = ["love and war", "glad"]
    with client(tmp_path / "models") as ask:
        found = ask.post("/v1/models/default:predict", json={"instances": texts}).json()
        tensor = {"name": "text", "shape": [2], "datatype": "BYTES", "data": texts}
        asked = {"inputs": [tensor]}
        outputs = ask.post("/v2/models/default/infer", json=asked).json()["outputs"]
    rows = classifier.predict_proba(texts)
    applies = (rows >= run.thresholds).tolist()
    assert [one["applies"] for one in found["predictions"]] == applies
    assert [tuple(one["labels"]) for one in found["predictions"]] == classifier.predict(
        texts
    )
    assert outputs[0]["name"] == "applies"
    assert np.reshape(outputs[0]["data"], (2, -1)).tolist() == applies


# What it refuses.


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "no JSON"),
        (b'{"instances": ["a"', 400, "no JSON"),
        (b'{"instances": ["\\ud800"]}', 400, "no JSON"),
        (b"\xff", 400, "no JSON"),
        (b'["a"]', 422, "array; an object"),
        (b"{}", 422, "'instances' or 'inputs'; it has neither"),
        (b'{"instances": [], "inputs": []}', 422, "'instances' and 'inputs'"),
        (b'{"instances": "a"}', 422, "instances is a JSON string; a list"),
        (b'{"instances": ["a", 3]}', 422, "instances[1] is a JSON number"),
        (b'{"instances": [null]}', 422, "instances[0] is a JSON null"),
        (b'{"instances": [{"text": 3}]}', 422, "instances[0] is a JSON number"),
        (b'{"instances": [{"b64": "/w=="}]}', 422, "b64 is no UTF-8"),
        (b'{"instances": [{"b64": "?"}]}', 422, "b64 is no UTF-8"),
        (b'{"inputs": {}}', 422, "inputs.text is a JSON null"),
        (b'{"instances": [], "signature_name": "token_ids"}', 422, "no signature"),
        (json.dumps({"instances": ["a"] * 9}).encode(), 413, "9 texts, and may have 8"),
        (json.dumps({"instances": ["a" * 2000]}).encode(), 413, "may have 2,000"),
    ],
    ids=str,
)
def test_another_body_is_refused_with_a_sentence(body, status, said, ask):
    found = ask.post(PREDICT, content=body)
    assert found.status_code == status
    assert said in found.json()["error"]
    assert found.json()["error"].endswith(".")


TENSOR = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "needs 'inputs' with one tensor"),
        ({"inputs": [TENSOR, TENSOR]}, "needs 'inputs' with one tensor"),
        ({"inputs": ["a"]}, "inputs[0] is no object"),
        ({"inputs": [TENSOR | {"name": "x"}]}, "'x' of 'BYTES'"),
        ({"inputs": [TENSOR | {"datatype": "FP32"}]}, "'text' of 'FP32'"),
        ({"inputs": [TENSOR | {"shape": [2]}]}, "[2]; [1] was expected"),
        ({"inputs": [TENSOR | {"shape": [True]}]}, "[1] was expected"),
        ({"inputs": [TENSOR | {"shape": None}]}, "[1] was expected"),
        ({"inputs": [TENSOR | {"data": "a"}]}, "a list of texts was expected"),
        ({"inputs": [TENSOR | {"data": [["a", "b"]]}]}, "data[0] is a JSON array"),
        ({"inputs": [TENSOR | {"parameters": 3}]}, "no object"),
        ({"inputs": [TENSOR | {"parameters": {"binary_data_size": 9}}]}, "0 bytes"),
        ({"inputs": [TENSOR], "outputs": ["label"]}, "no output 'label'"),
        ({"inputs": [TENSOR], "outputs": [{"name": "x"}]}, "no output 'x'"),
        ({"inputs": [TENSOR], "outputs": [{"name": ["label"]}]}, "no output"),
    ],
    ids=str,
)
def test_another_inference_is_refused_with_a_sentence(body, said, ask):
    found = ask.post(INFER, json=body)
    assert found.status_code == 422
    assert said in found.json()["error"]


@pytest.mark.parametrize(
    ("behind", "said"),
    [(b"\x01\x00\x00\x00", "end within"), (b"\x01\x00", "end within"),
     (b"\x02\x00\x00\x00\xff\xff", "no UTF-8")],
)  # fmt: skip
def test_bytes_that_are_no_texts_are_refused(behind, said, ask):
    tensor = TENSOR | {"parameters": {"binary_data_size": len(behind)}}
    del tensor["data"]
    head = json.dumps({"inputs": [tensor]}).encode()
    length = {"Inference-Header-Content-Length": str(len(head))}
    found = ask.post(INFER, content=head + behind, headers=length)
    assert found.status_code == 422
    assert said in found.json()["error"]
    for wrong in ("x", str(len(head) + 100), "9" * 5000):
        length = {"Inference-Header-Content-Length": wrong}
        assert ask.post(INFER, content=head, headers=length).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", INFER, 405), ("POST", "/v2", 405),
     ("POST", "/v1/models/other:predict", 404), ("GET", "/v2/models/other", 404),
     ("POST", "/v2/models/other/infer", 404), ("GET", "/v1/models/other", 404)],
)  # fmt: skip
def test_what_is_not_there_is_said(method, path, status, ask):
    found = ask.request(method, path, json={"instances": []})
    assert found.status_code == status
    assert found.json()["error"].endswith(".")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "instances",
                    "inputs",
                    "text",
                    "b64",
                    "name",
                    "shape",
                    "datatype",
                    "data",
                    "outputs",
                    "parameters",
                    "binary_data_size",
                    "signature_name",
                    "id",
                ]
            ),  # fmt: skip
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=int(os.environ.get("SEQCLF_FUZZ", "60")))
@given(body=st.dictionaries(st.sampled_from(["instances", "inputs", "id"]), values))
def test_no_json_is_a_fault_of_ours(body, ask):
    for path in (PREDICT, INFER, "/explain"):
        found = ask.post(path, json=body)
        assert found.status_code in (200, 413, 422), found.text
        if found.status_code != 200:
            assert found.json()["error"]


@settings(deadline=None, max_examples=30)
@given(texts=st.lists(st.text(max_size=60), min_size=1, max_size=8))
def test_any_texts_are_answered_as_by_predict(texts, ask, folder):
    rows = Classifier.open(RUN, folder).predict_proba(texts)
    found = ask.post(PREDICT, json={"instances": texts}).json()["predictions"]
    told = np.array([one["probabilities"] for one in found])
    assert told == pytest.approx(rows, abs=1e-6)


BASE64 = st.builds(
    lambda text: {"b64": base64.b64encode(text.encode()).decode()}, st.text(max_size=9)
)
FORMS = st.one_of(
    st.text(max_size=30),
    BASE64,
    st.builds(lambda one: {"text": one}, st.one_of(st.text(max_size=30), BASE64)),
)
LISTS = st.lists(FORMS, min_size=1, max_size=9)  # one more than may be
REQUESTS = st.one_of(
    st.builds(lambda texts: {"instances": texts}, LISTS),
    st.builds(lambda texts: {"inputs": texts}, LISTS),
    st.builds(lambda texts: {"inputs": {"text": texts}}, LISTS),
    st.dictionaries(st.sampled_from(["instances", "inputs", "id"]), values),
)


@pytest.fixture(scope="module")
def description(ask) -> dict[str, object]:
    return ask.get("/openapi.json").json()


def described(description, path: str, status: int) -> dict[str, object]:
    """Returns the schema of an answer, with what it refers to."""
    place = path.replace(RUN, "{model}")
    response = description["paths"][place]["post"]["responses"][str(status)]
    while "$ref" in response:
        kind, name = response["$ref"].split("/")[-2:]
        response = description["components"][kind][name]
    schema = response["content"]["application/json"]["schema"]
    return {**schema, "components": description["components"]}


@settings(deadline=None, max_examples=60)
@given(body=REQUESTS, path=st.sampled_from([PREDICT, INFER, "/explain"]))
def test_every_answer_is_as_the_description_says(body, path, ask, description):
    found = ask.post(path, json=body)
    schema = described(description, path, found.status_code)
    jsonschema.validate(found.json(), schema)


@settings(deadline=None, max_examples=30)
@given(body=REQUESTS)
def test_what_is_answered_is_what_the_description_allows(body, ask, description):
    found = ask.post(PREDICT, json=body)
    schema = {"$ref": "#/components/schemas/Texts"} | description
    if is_texts(body) and len(texts_of(body)) <= LIMITS.texts:
        assert found.status_code == 200, found.text
    if found.status_code == 200:
        jsonschema.validate(body, schema)


def texts_of(body) -> list[object]:
    given = body.get("instances", body.get("inputs"))
    return given["text"] if isinstance(given, dict) else given


def is_texts(body) -> bool:
    """Whether all of it is texts, in a form that the page names, and one at least."""
    if len(body) != 1 or not set(body) & {"instances", "inputs"}:
        return False
    given = next(iter(body.values()))
    if isinstance(given, dict) and [*given] == ["text"] and "inputs" in body:
        given = given["text"]
    return (
        isinstance(given, list)
        and bool(given)
        and all(isinstance(one, str) for one in given)
    )


# Who may ask.


def test_a_name_that_is_not_the_machine_s_is_refused(ask):
    for host in ("evil.example", "localhost.evil.example:8000", "[", ""):
        found = ask.get("/v2", headers={"host": host})
        assert found.status_code == 421
    for host in ("localhost", "127.0.0.1:9000", "[::1]:9000", "LOCALHOST"):
        assert ask.get("/v2", headers={"host": host}).status_code == 200


def test_pages_of_others_may_not_ask_unless_they_are_named(folder, ask):
    origin = {"origin": "https://example.org"}
    assert ask.get("/v2", headers=origin).status_code == 403
    assert ask.get("/v2", headers={"origin": "http://["}).status_code == 403
    assert ask.get("/v2", headers={"origin": "http://localhost"}).status_code == 200
    assert "access-control-allow-origin" not in ask.get("/v2").headers
    with client(folder, RUN, guard=Guard(origins=("https://example.org",))) as open_:
        found = open_.get("/v2", headers=origin)
        assert found.status_code == 200
        assert found.headers["access-control-allow-origin"] == "https://example.org"
        asks = {"access-control-request-method": "POST"}
        asks["access-control-request-headers"] = "authorization,content-type"
        assert open_.options(PREDICT, headers=origin | asks).status_code == 200
        assert open_.get("/v2", headers={"origin": "https://x.org"}).status_code == 403


def test_a_token_is_asked_for_but_by_who_looks_whether_it_lives(folder):
    guard = Guard(hosts=None, token="s3cret")
    with client(folder, RUN, guard=guard) as ask:
        for given_ in (None, "Bearer wrong", "Basic s3cret", "Bearer s3cre", "s3cret"):
            headers = {"authorization": given_} if given_ else {}
            found = ask.get("/v2", headers=headers)
            assert found.status_code == 401
            assert found.headers["www-authenticate"] == "Bearer"
            assert "s3cret" not in found.text
        right = {"authorization": "Bearer s3cret", "host": "any.example"}
        assert ask.get("/v2", headers=right).status_code == 200
        assert ask.get("/v2/health/live").status_code == 200
        assert ask.get("/v2/health/ready").status_code == 200
        assert ask.get("/metrics").status_code == 401
        for host in ("x/v2/health/live?", "x/v2/health/live#"):
            assert ask.get("/metrics", headers={"host": host}).status_code == 401


def test_beyond_this_machine_a_token_is_needed(tmp_path):
    with pytest.raises(ConfigError, match="--token-file is needed"):
        guard_of("0.0.0.0", None, [])
    file = tmp_path / "token"
    for wrong in ("", " \n", "zwei\nzeilen", "schön"):
        file.write_text(wrong, "utf-8")
        with pytest.raises(ConfigError, match="holds no token"):
            guard_of("0.0.0.0", file, [])
    with pytest.raises(ConfigError, match="cannot be read"):
        guard_of("0.0.0.0", tmp_path / "none", [])
    file.write_text("abc\n")
    assert guard_of("0.0.0.0", file, []) == Guard(hosts=None, token="abc", origins=())
    # A proxy before it may call it by any name.
    assert guard_of("127.0.0.1", file, []).hosts is None
    assert guard_of("127.0.0.1", None, []).hosts is not None
    for wrong in ("*", "example.org", "https://example.org/", "https://*.org", "null"):
        with pytest.raises(ConfigError, match="--cors takes the origin of a page"):
            guard_of("127.0.0.1", None, [wrong])
    known = guard_of("127.0.0.1", None, ["https://Example.org:8443"])
    assert known.origins == ("https://example.org:8443",)


# Who waits.


def answers(texts: list[str]) -> list[str]:
    if "fails" in texts:
        raise ValueError(texts)
    return [text.upper() for text in texts]


def at_the_desk(steps, answer=answers, limits=LIMITS, at_once=4):
    """Runs `steps(desk)` beside a desk that works; returns what it returns."""

    async def both():
        return await steps(Desk(answer, limits, at_once))

    return asyncio.run(both())


def test_what_waits_is_answered_together_and_to_each_its_own():
    batches, may_go = [], threading.Event()

    def answer(texts):
        batches.append(list(texts))
        may_go.wait(5)
        return answers(texts)

    async def steps(desk):
        first = asyncio.create_task(desk.ask(["a"]))
        await until(lambda: batches)
        more = [
            asyncio.create_task(desk.ask(t)) for t in (["b", "c"], ["d"], ["e", "f"])
        ]
        await until(lambda: desk.waiting == 4)
        may_go.set()
        return [list(await one) for one in (first, *more)]

    limits = dataclasses.replace(LIMITS, queue=9, timeout=20.0)
    expected = [["A"], ["B", "C"], ["D"], ["E", "F"]]
    assert at_the_desk(steps, answer, limits) == expected
    assert batches == [["a"], ["b", "c", "d"], ["e", "f"]]  # at most four texts


def test_who_is_alone_is_answered_at_once_and_others_in_their_turn():
    threads, may_go = [], threading.Event()

    def answer(texts):
        threads.append(threading.get_ident())
        if "slow" in texts:
            may_go.wait(20)
        return answers(texts)

    async def steps(desk):
        first = await desk.ask(["a"], here=True)
        slow = asyncio.create_task(desk.ask(["slow"]))
        await until(lambda: len(threads) == 2)
        behind = asyncio.create_task(desk.ask(["b"], here=True))
        await until(lambda: desk.waiting == 2)
        may_go.set()
        return [list(first), list(await slow), list(await behind)]

    assert at_the_desk(steps, answer) == [["A"], ["SLOW"], ["B"]]
    own = threading.get_ident()
    assert [one == own for one in threads] == [True, False, False]


@pytest.mark.parametrize(
    ("connections", "text", "is_here"),
    [(1, "good", True), (2, "good", False), (1, "good " * 1000, False)],
)
def test_one_client_with_little_to_ask_is_alone(
    connections, text, is_here, folder, monkeypatch
):
    asked = []
    ask_ = Desk.ask
    monkeypatch.setattr(
        Desk,
        "ask",
        lambda desk, texts, here=False: asked.append(here) or ask_(desk, texts),
    )
    limits = dataclasses.replace(LIMITS, bytes=9000)
    with client(folder, RUN, limits=limits) as ask:
        ask.service.connections = lambda: connections
        assert ask.post(PREDICT, json={"instances": [text]}).status_code == 200
    assert asked == [is_here]


def test_what_fails_is_one_request_alone():
    may_go = threading.Event()

    def answer(texts):
        may_go.wait(5)
        return answers(texts)

    async def steps(desk):
        asked = [asyncio.create_task(desk.ask([t])) for t in ("x", "a", "fails", "b")]
        await asyncio.sleep(0.05)
        may_go.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    limits = dataclasses.replace(LIMITS, queue=9, timeout=20.0)
    x, a, failed, b = at_the_desk(steps, answer, limits)
    assert [x, a, b] == [["X"], ["A"], ["B"]]
    assert isinstance(failed, ValueError)


def test_a_full_queue_and_a_long_wait_are_refused_and_the_others_answered():
    batches, may_go = [], threading.Event()

    def answer(texts):
        batches.append(texts)
        may_go.wait(20)
        return answers(texts)

    async def steps(desk):
        first = asyncio.create_task(desk.ask(["first"]))
        await until(lambda: batches)
        gone, *more = [asyncio.create_task(desk.ask([name])) for name in "abc"]
        await until(lambda: desk.waiting == 4)
        with pytest.raises(RefusedError, match="4 requests wait already") as full:
            await desk.ask(["one more"])
        assert (full.value.status, full.value.retry_after) == (429, 1)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        # There is room for one again; it has no time.
        desk._limits = dataclasses.replace(desk._limits, timeout=0.1)
        with pytest.raises(RefusedError, match=r"no answer within 0.1 s") as late:
            await desk.ask(["late"])
        assert (late.value.status, late.value.retry_after) == (503, 1)
        assert desk.waiting == 3
        may_go.set()
        return [list(await one) for one in (first, *more)]

    limits = dataclasses.replace(LIMITS, queue=4, timeout=20.0)
    assert at_the_desk(steps, answer, limits) == [["FIRST"], ["B"], ["C"]]
    assert batches == [["first"], ["b", "c"]], "nobody waits for the others"


async def until(holds, seconds=5.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


# New and changed runs.


def trained_in(folder: Path, *more: str) -> None:
    done = run_in(folder, "train", "--data=reviews", "--cell=rnn", *TINY, *more)
    assert done.exit_code == 0, done.output


@pytest.mark.slow
def test_a_new_run_is_taken_up_and_none_is_dropped(workplace, tmp_path, monkeypatch):
    monkeypatch.setattr(models, "LOOK_SECONDS", 0.05)
    shutil.copytree(workplace / "reviews", tmp_path / "reviews")
    trained_in(tmp_path, "--name=first")
    taken, statuses, is_over = [], [], threading.Event()
    with client(tmp_path / "models", taken=taken.append) as ask:

        def keep_asking():
            while not is_over.is_set():
                body = {"instances": ["good"]}
                found = ask.post("/v1/models/default:predict", json=body)
                statuses.append(found.status_code)

        asking = threading.Thread(target=keep_asking)
        asking.start()
        trained_in(tmp_path, "--name=second", "--epochs=3")
        wait_for(lambda: [one.name for one in taken] == ["second"])
        # While it is replaced, the run before is the newest.
        trained_in(tmp_path, "--name=second", "--epochs=1", "--overwrite")
        wait_for(lambda: len(taken) > 1 and taken[-1].name == "second")
        before = len(statuses)
        wait_for(lambda: len(statuses) > before)
        is_over.set()
        asking.join()
        assert ask.get("/v1/models/first").status_code == 404
        assert ask.get("/v1/models/second").status_code == 200
        wanted = Classifier.open("second", tmp_path / "models").predict_proba(["good"])
        found = ask.post("/v1/models/second:predict", json={"instances": ["good"]})
        (one,) = found.json()["predictions"]
        assert one["probabilities"] == pytest.approx(wanted[0].tolist())
        assert ask.get("/").text == "page of ['second']"
    assert set(statuses) == {200}


@pytest.mark.slow
def test_a_named_run_that_is_trained_anew_gets_a_version(
    workplace, tmp_path, monkeypatch
):
    monkeypatch.setattr(models, "LOOK_SECONDS", 0.05)
    shutil.copytree(workplace / "reviews", tmp_path / "reviews")
    trained_in(tmp_path, "--name=one")
    taken = []
    with client(tmp_path / "models", "one", taken=taken.append) as ask:
        trained_in(tmp_path, "--name=other")  # is nobody's business
        trained_in(tmp_path, "--name=one", "--epochs=1", "--overwrite")
        wait_for(lambda: taken)
        (state,) = ask.get("/v1/models/one").json()["model_version_status"]
        assert state["version"] == "2"
        assert ask.get("/v1/models/other").status_code == 404
        assert "seqclf_models_taken_total 1.0" in ask.get("/metrics").text


def test_who_has_begun_to_explain_is_answered_by_the_run_before(
    folder, tmp_path, monkeypatch
):
    """Text after text, while another run is taken up."""

    def slow(classifier, text):
        asked.append(text)
        assert may_go.wait(20)
        return explain(classifier, text)

    asked, taken, found, may_go = [], [], [], threading.Event()
    monkeypatch.setattr(models, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(models, "explain", slow)
    shutil.copytree(folder / RUN, tmp_path / "one" / RUN)
    with client(tmp_path / "one", RUN, taken=taken.append) as ask:
        body = {"instances": ["good", "bad", "so so"]}
        asking = threading.Thread(
            target=lambda: found.append(ask.post("/explain", json=body))
        )
        asking.start()
        wait_for(lambda: asked)
        again = (tmp_path / "one" / RUN / "complete").read_bytes()
        (tmp_path / "one" / RUN / "complete").unlink()
        (tmp_path / "one" / RUN / "complete").write_bytes(again)
        wait_for(lambda: taken)
        assert len(asked) == 1
        may_go.set()
        asking.join()
    assert found[0].status_code == 200
    assert len(found[0].json()["explanations"]) == 3


def wait_for(holds, seconds=20.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.slow
def test_means_and_linear_runs_are_served_and_twice_a_name_is_refused(
    workplace, tmp_path
):
    shutil.copytree(workplace / "reviews", tmp_path / "reviews")
    shutil.copytree(workplace / "models", tmp_path / "models")
    run_in(tmp_path, "train", "--data=reviews", "--baseline=nb-svm", "--quiet")
    mean = f"{RUN}+reviews-nb-svm"
    with client(tmp_path / "models", mean, "reviews-nb-svm") as ask:
        found = ask.post(f"/v1/models/{mean}:predict", json={"instances": TEXTS})
        rows = [one["probabilities"] for one in found.json()["predictions"]]
        wanted = Classifier.open(mean, tmp_path / "models").predict_proba(TEXTS)
        assert np.array(rows) == pytest.approx(wanted, abs=1e-6)
        assert ask.get("/v2/models/reviews-nb-svm").status_code == 200
    with (
        pytest.raises(ConfigError, match=f"two of the runs are named {RUN}"),
        client(tmp_path / "models", RUN, str(workplace / "models" / RUN)),
    ):
        pass
    with pytest.raises(RunError, match="nothing"), client(tmp_path, "nothing"):
        pass


# A server of its own.


@contextlib.contextmanager
def running(folder: Path, *arguments: str) -> Iterator[str]:
    """Yields the address of a server in a process of its own."""
    with started(folder, *arguments) as (process, address):
        yield address
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


@contextlib.contextmanager
def started(
    folder: Path, *arguments: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "seqclf", "serve", "--port=0", *arguments]
    process = subprocess.Popen(
        command, cwd=folder, stderr=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stderr
    try:
        line = ""
        while "Look at it: " not in line:
            line = process.stderr.readline()
            assert line, "it ended"
        yield process, line.split()[3].rstrip("/")
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def post(address: str, texts: list[str]) -> dict[str, object]:
    body = json.dumps({"instances": texts}).encode()
    request = urllib.request.Request(f"{address}/v1/models/default:predict", body)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


def test_it_ends_at_ctrl_c_and_says_so(workplace):
    with started(workplace, RUN) as (process, address):
        assert post(address, ["good"])["predictions"]
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "every request that had come was answered" in said
        with pytest.raises(urllib.error.URLError):
            post(address, ["good"])


@pytest.mark.slow
def test_a_second_ctrl_c_ends_it_at_once(workplace):
    def ask():
        body = json.dumps({"instances": [" ".join(["good"] * 100)] * 1000}).encode()
        with contextlib.suppress(OSError, http.client.HTTPException):
            urllib.request.urlopen(f"{address}/explain", body, timeout=60)

    with started(workplace, RUN, "--timeout=60") as (process, address):
        threading.Thread(target=ask, daemon=True).start()
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        time.sleep(1)
        assert process.poll() is None, "it finishes what has come"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)
    assert "Ended before every request was answered." in said


@pytest.mark.slow
def test_sigterm_loses_nothing(workplace):
    with started(workplace, RUN, "--max-bytes=4000000", "--timeout=60") as (
        process,
        address,
    ):
        host, port = address.removeprefix("http://").split(":")
        texts = [" ".join(["good"] * 300)] * 1000
        body = json.dumps({"instances": texts}).encode()
        head = (
            f"POST /v1/models/default:predict HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()
        asking = [socket.create_connection((host, int(port))) for _ in range(3)]
        for one in asking:
            one.sendall(head + body)
        counts = f"{address}/metrics"
        while b"seqclf_waiting_requests 0.0" in urllib.request.urlopen(counts).read():
            time.sleep(0.01)
        process.terminate()
        for one in asking:
            answer = read_all(one)
            assert answer.startswith(b"HTTP/1.1 200")
            assert answer.count(b'"label"') == 1000
        assert process.wait(20) == 0


def read_all(connection: socket.socket) -> bytes:
    connection.settimeout(30)
    parts = []
    while part := connection.recv(1 << 16):
        parts.append(part)
    connection.close()
    return b"".join(parts)


def raw(address: str, content: bytes) -> bytes:
    host, port = address.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    connection.sendall(content)
    return read_all(connection)


@pytest.mark.slow
def test_large_and_slow_requests_are_refused_and_the_others_answered(workplace):
    with running(workplace, RUN, "--timeout=0.5", "--max-bytes=1000") as address:
        head = b"POST /v1/models/default:predict HTTP/1.1\r\nHost: localhost\r\n"
        # Not a byte of the body was sent.
        large = raw(address, head + b"Content-Length: 1001\r\n\r\n")
        assert large.startswith(b"HTTP/1.1 413")
        chunk = b"200\r\n" + b"x" * 512 + b"\r\n"
        unsaid = raw(address, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 2)
        assert unsaid.startswith(b"HTTP/1.1 413")
        start = time.monotonic()
        slow = raw(address, head + b"Content-Length: 50\r\n\r\n{")
        assert slow.startswith(b"HTTP/1.1 408")
        assert time.monotonic() - start < 10
        # A client that is gone before it is answered, or in the middle of its request.
        host, port = address.removeprefix("http://").split(":")
        for content in (b"", b"Content-Length: 500\r\n\r\n{"):
            gone = socket.create_connection((host, int(port)))
            gone.sendall(head + content)
            gone.close()
        assert post(address, ["good"])["predictions"]


@pytest.mark.slow
def test_no_text_is_in_what_it_says(workplace):
    with started(workplace, RUN) as (process, address):
        post(address, ["confidential"])
        with pytest.raises(urllib.error.HTTPError):
            post(address, ["confidential"] * 2000)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert "confidential" not in said


@pytest.mark.slow
def test_a_signal_while_models_open_ends_it_and_a_slow_end_can_be_cut(
    workplace, tmp_path
):
    program = (
        "import sys, time\n"
        "from seqclf.serve import models\n"
        "opened = models._open\n"
        "def slow(*asked):\n"
        "    print('opening', file=sys.stderr, flush=True)\n"
        "    time.sleep(60)\n"
        "models._open = slow\n"
        "from seqclf.cli import main\n"
        f"sys.argv = ['seqclf', 'serve', '{RUN}', '--port=0']\n"
        "main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=workplace, stderr=subprocess.PIPE
    )
    assert process.stderr
    while b"opening" not in process.stderr.readline():
        pass
    process.terminate()
    assert process.wait(20) == -signal.SIGTERM
    process.stderr.close()


def test_a_port_that_is_taken_is_said(workplace):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}.*--port, or 0"):
            bind("127.0.0.1", port)
        done = run_in(workplace, "serve", f"--port={port}", RUN)
    assert done.exit_code == 2
    assert "cannot listen" in done.stderr
    with pytest.raises(ConfigError, match="cannot listen at no.such.host.invalid"):
        bind("no.such.host.invalid", 0)
    with pytest.raises(ConfigError, match="no port 99,999: at most 65,535"):
        bind("127.0.0.1", 99_999)
    with bind("localhost", 0) as bound:
        # Else asyncio leaves Nagle's algorithm on, and answers wait for 40 ms.
        assert bound.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize(
    ("given_", "said"),
    [("--timeout=0", "--timeout must be"), ("--queue=0", "--queue must be"),
     ("--max-texts=0", "--max-texts must be"), ("--max-bytes=-1", "--max-bytes mu"),
     ("--host=0.0.0.0", "--token-file is needed")],
)  # fmt: skip
def test_options_that_make_no_server_are_refused(given_, said, workplace):
    done = run_in(workplace, "serve", given_, RUN)
    assert done.exit_code == 2
    assert said in done.stderr


def test_without_the_extra_it_is_asked_for(workplace, monkeypatch):
    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    done = run_in(workplace, "serve", RUN)
    assert done.exit_code == 2
    assert install_line("serve") in done.stderr


# Its page.


@pytest.mark.slow
def test_the_page_is_the_microscope_of_what_is_served(browser, workplace, tmp_path):
    shutil.copytree(workplace / "reviews", tmp_path / "reviews")
    shutil.copytree(workplace / "models", tmp_path / "models")
    with running(tmp_path, RUN) as address:
        browser.get_log("browser")
        browser.get(address)
        assert "under the microscope" in browser.title
        typed = browser.find_element("id", "typed")
        typed.clear()
        typed.send_keys("a good film")
        wait_for(lambda: "good" in browser.find_element("id", "said").text)
        assert browser.get_log("browser") == []
        keep_picture(browser, "serve_microscope.png")


@pytest.mark.slow
def test_what_the_microscope_cannot_show_is_listed(browser, workplace, tmp_path):
    shutil.copytree(workplace / "reviews", tmp_path / "reviews")
    done = run_in(tmp_path, "train", "--data=reviews", "--baseline=nb-svm", "--quiet")
    assert done.exit_code == 0, done.output
    with running(tmp_path) as address:
        browser.get_log("browser")
        browser.get(address)
        assert browser.find_element("id", "models").text == "reviews-nb-svm: bad, good"
        assert "linear model" in browser.find_element("id", "why").text
        command = browser.find_element("id", "ask").text
        done = subprocess.run(["sh", "-c", command], capture_output=True, check=True)
        assert json.loads(done.stdout)["predictions"][0]["label"] in ("bad", "good")
        assert browser.get_log("browser") == []
        keep_picture(browser, "serve_list.png")


def keep_picture(browser, name: str) -> None:
    """Keeps what is seen, to be looked at, where a folder for that is named."""
    if folder := os.environ.get("SEQCLF_PICTURES"):
        browser.save_screenshot(str(Path(folder) / name))
