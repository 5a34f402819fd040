"""The shape of a web service: an ASGI application without a framework, so that nothing is locked.

A team's own exercise names its framework in ``requirements.in`` and runs ``grade lock``.
"""

from __future__ import annotations

from grader.authoring.shapes import Shape

__all__ = ["SERVICE"]

_WRAPPER = '''\
def create_app() -> App:
    """Return an ASGI application that answers ``POST /measure``."""
    return _serve


async def _serve(scope: Message, receive: Receive, send: Send) -> None:
    """Serve one request; there is no lifespan, which the missing method tells the server."""
    if (scope["method"], scope["path"]) != ("POST", "/measure"):
        await _respond(send, 404, {"detail": "there is only POST /measure"})
        return
    try:
        labels, predictions = _items(await _body(receive))
        answer = {"balanced_accuracy": balanced_accuracy(labels, predictions)}
    except ValueError as error:
        await _respond(send, 422, {"detail": str(error)})
        return
    await _respond(send, 200, answer)


async def _body(receive: Receive) -> bytes:
    """Return a request's whole body."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body")
    return body


def _items(body: bytes) -> tuple[list[str], list[str]]:
    """Return labels and predictions.

    Raises:
        ValueError: the body is something else.
    """
    asked = json.loads(body)
    if not isinstance(asked, dict):
        raise ValueError("send an object with labels and predictions")
    labels, predictions = asked.get("labels"), asked.get("predictions")
    if not _is_text(labels) or not _is_text(predictions) or len(labels) != len(predictions):
        raise ValueError("labels and predictions are lists of text of one length")
    return labels, predictions


def _is_text(values: object) -> bool:
    """Whether `values` is a list of text."""
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


async def _respond(send: Send, status: int, answer: Mapping[str, object]) -> None:
    """Send one response as JSON."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})
'''
_NULL = """\
import json


def measure(given):
    BODY


async def serve(scope, receive, send):
    message = await receive()
    if scope["type"] == "lifespan":
        while True:
            await send({"type": message["type"] + ".complete"})
            message = await receive()
    body = json.dumps({"balanced_accuracy": measure(message["body"].decode())}, default=repr)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body.encode()})


def create_app():
    return serve
"""
_SAMPLE = '''\
"""A few examples of what is asked for. The hidden tests ask for more: see README.md."""

import asyncio
import csv
import json
from pathlib import Path

from solution import create_app

DATA = Path(__file__).parent.parent / "data"


def post(answers):
    """Send one request to a new application; its status and JSON."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": json.dumps(answers).encode(), "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/measure", "headers": []}
    asyncio.run(create_app()(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], json.loads(body)


# CHANGE: what candidates may see; no hidden input is among it.
def test_two_classes():
    answers = {"labels": ["a", "a", "b"], "predictions": ["a", "b", "b"]}
    assert post(answers) == (200, {"balanced_accuracy": 0.75})


def test_the_export():
    with (DATA / "answers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = [row["label"] for row in rows]
    answers = {"labels": labels, "predictions": labels}
    assert post(answers) == (200, {"balanced_accuracy": 1.0})
'''
_TESTS = '''

BODIES = [
    b"",
    b"labels",
    b"[]",
    b'{"labels": ["a"]}',
    b'{"labels": "a", "predictions": "a"}',
    b'{"labels": [1], "predictions": ["a"]}',
    b'{"labels": ["a", 1], "predictions": ["a", "a"]}',
    b'{"labels": ["a"], "predictions": [null]}',
    b'{"labels": ["a", "b"], "predictions": ["a"]}',
]


@pytest.mark.criterion("edge", sheet="refused", hint="What else can a body be?")
@pytest.mark.parametrize("body", BODIES)
def test_what_is_no_list_of_items_is_refused(solution, body):
    """A body that is something else gets status 422, and the service goes on."""
    app = solution.app()
    headers = {"content-type": "application/json"}
    assert_value(app.request("POST", "/measure", body=body, headers=headers).status, 422)
    assert_value(measured(app, ["a"], ["a"]), 1.0, rtol=1e-9)


@pytest.mark.criterion("edge", sheet="chunks", hint="Does a body come at once?")
def test_a_body_in_pieces(solution):
    """A body that comes in pieces is one body."""
    chunks = [b'{"labels": ["a", "b"], ', b'"predictions": ["a"', b', "a"]}']
    headers = {"content-type": "application/json"}
    response = solution.app().request("POST", "/measure", body=chunks, headers=headers)
    assert_value(response.json()["balanced_accuracy"], 0.5, rtol=1e-9)


@pytest.mark.criterion("edge", sheet="elsewhere", hint="What if nothing is there?")
@pytest.mark.parametrize("asked", [("GET", "/measure"), ("POST", "/")])
def test_nothing_is_elsewhere(solution, asked):
    """Another path is 404; another method may be 405 as well."""
    status = solution.app().request(*asked, json={"labels": ["a"], "predictions": ["a"]}).status
    assert_value(status in ({404} if asked[0] == "POST" else {404, 405}), True)


@pytest.mark.criterion("edge", sheet="answered", hint="Which status says that all went well?")
def test_an_answer_has_status_200(solution):
    """What was asked rightly is answered with 200, as JSON."""
    response = posted(solution.app(), ["a"], ["a"])
    assert_value((response.status, response.header("content-type")), (200, "application/json"))
'''
_MUTANTS = """
[[equivalent]]
digest = "a064c7047528"
solution = "reference"
reason = "zip with strict=True refuses lists of different lengths as well"

[[equivalent]]
digest = "a064c7047528"
solution = "correct_pandas"
reason = "a frame refuses columns of different lengths as well"

[[equivalent]]
digest = "6855562ea030"
solution = "correct_pandas"
reason = "a NumPy number is written as JSON as a Python one is"
"""
SERVICE = Shape(
    functions="""\
[[functions]]
name = "create_app"  # CHANGE
parameters = []

# Any ASGI 3 application will do. For a framework: name it in requirements.in, grade lock, and add
# [environment]
# requirements = "requirements.in"
[app]
factory = "create_app"
""",
    asked="- **`create_app()`** returns an ASGI 3 application. `POST /measure` takes an object "
    "with two lists of text of\n  equal length, `labels` and `predictions`, and answers "
    '`{"balanced_accuracy": …}` with status 200.',
    ask='''\

def ask(solution, labels, predictions):
    """The measure, as a new application answers it."""
    return measured(solution.app(), labels, predictions)


def measured(app, labels, predictions):
    """The measure, as an application answers it."""
    return posted(app, labels, predictions).json()["balanced_accuracy"]


def posted(app, labels, predictions):
    """The response of an application."""
    return app.request("POST", "/measure", json={"labels": labels, "predictions": predictions})
''',
    imports=("import json",),
    wrapper=_WRAPPER,
    starter='''\
# CHANGE: what candidates complete.
def create_app() -> App:
    """Return an ASGI application that answers ``POST /measure``."""
    raise NotImplementedError
''',
    null=_NULL,
    sample=_SAMPLE,
    types=(
        "from collections.abc import Awaitable, Callable, Mapping, Sequence",
        "from typing import Any",
    ),
    aliases="""\
    Message = dict[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Message, Receive, Send], Awaitable[None]]
""",
    refusal="the answer has status 422",
    no_items="    assert_value(posted(solution.app(), [], []).status, 422)\n",
    edge_imports="ask, measured, posted",
    lines="| `answered` | Status 200 and `application/json` go with an answer | clients look there "
    "first |\n"
    "| `refused` | Status 422 for a body that is no JSON, or not such an object; the service "
    "goes on | clients make mistakes |\n"
    "| `chunks` | A body that comes in pieces is one body | servers pass on what arrives |\n"
    "| `elsewhere` | Another path has status 404, another method 404 or 405 | nothing else is "
    "there |\n",
    tests=_TESTS,
    mutants=_MUTANTS,
)
