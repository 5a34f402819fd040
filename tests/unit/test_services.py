"""Web applications without sockets, and functions of the judge's that they call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from grader.judge.asked import Failure
from grader.judge.errors import CandidateError, ChannelFailure, JudgeFault, raises
from grader.judge.proxy import Solution
from grader.wire import codec
from grader.wire.frames import Measure
from tests.unit.services import Replayed, services

if TYPE_CHECKING:
    from tests.unit.services import Services

__all__ = ["services"]

FASTAPI = """
    import asyncio
    from fastapi import FastAPI
    from pydantic import BaseModel
    from inference import InferenceError, run_inference

    class Query(BaseModel):
        text: str

    def create_app(timeout=30.0):
        app = FastAPI()

        @app.get("/healthz")
        async def healthz():
            return {"status": "ok"}

        @app.post("/predict")
        async def predict(query: Query):
            try:
                work = asyncio.to_thread(run_inference, query.text)
                return await asyncio.wait_for(work, timeout)
            except InferenceError as error:
                return {"error": str(error)}
            except TimeoutError:
                return {"error": "late"}

        return app
"""
DEF_HANDLER = """
    from fastapi import FastAPI
    from inference import run_inference
    app = FastAPI()

    @app.get("/healthz")
    def healthz():
        return {"status": "ok"}

    @app.post("/predict")
    def predict(query: dict):
        return run_inference(query["text"])
"""
FALCON = """
    import asyncio
    import falcon.asgi
    from inference import run_inference

    class Predict:
        async def on_post(self, request, response):
            query = await request.get_media()
            response.media = await asyncio.to_thread(run_inference, query["text"])

    class Healthz:
        async def on_get(self, request, response):
            response.media = {"status": "ok"}

    def create_app():
        app = falcon.asgi.App()
        app.add_route("/predict", Predict())
        app.add_route("/healthz", Healthz())
        return app
"""
PLAIN = """
    import asyncio, json
    from inference import run_later

    def create_app():
        async def app(scope, receive, send):
            assert scope["type"] == "http"
            body = b""
            while scope["method"] == "POST":
                message = await receive()
                body += message["body"]
                if not message["more_body"]:
                    break
            if scope["path"] == "/healthz":
                answer = {"status": "ok"}
            else:
                answer = await run_later(json.loads(body)["text"])
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": json.dumps(answer).encode()})
        return app
"""
BLOCKING = FASTAPI.replace(
    "work = asyncio.to_thread(run_inference, query.text)", "return run_inference(query.text)"
)
STYLES = {
    "fastapi": (FASTAPI, {}),
    "fastapi_def": (DEF_HANDLER, {"name": "app"}),
    "falcon": (FALCON, {}),
    "plain_asgi": (PLAIN, {}),
}
ANSWER = {"label": "invoice", "score": 0.5}


def held(solution: Solution, name: str = "run_inference") -> Any:
    inference = solution.stand_in(f"inference.{name}")
    inference.hold()
    return inference


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_a_request_gets_its_response(services: Services, style: str) -> None:
    source, named = STYLES[style]
    response = services.make(source, **named).app().request("GET", "/healthz")
    assert (response.status, response.media_type, response.json()) == (
        200,
        "application/json",
        {"status": "ok"},
    )


@pytest.mark.parametrize("style", STYLES)
def test_held_calls_overlap_and_other_requests_are_answered(services: Services, style: str) -> None:
    source, named = STYLES[style]
    solution = services.make(source, **named)
    app = solution.app()
    inference = held(solution, "run_later" if style == "plain_asgi" else "run_inference")
    sent = [app.start("POST", "/predict", json={"text": text}) for text in ("a", "b")]
    other = app.start("GET", "/healthz")

    assert app.settle() is True
    assert sorted(str(call["text"]) for call in inference.open) == ["a", "b"]
    assert inference.most_open == 2
    assert [other.done, sent[0].done, sent[1].done] == [True, False, False]
    for call in inference.open:
        call.answer({**ANSWER, "text": call["text"]})
    assert [request.response().json()["text"] for request in sent] == ["a", "b"]


def test_a_handler_that_blocks_the_loop_keeps_others_waiting(services: Services) -> None:
    solution = services.make(BLOCKING)
    app = solution.app()
    inference = held(solution)
    first = app.start("POST", "/predict", json={"text": "a"})
    other = app.start("GET", "/healthz")

    assert app.settle() is True
    assert [first.done, other.done] == [False, False]
    inference.open[0].answer(ANSWER)
    assert other.response().json() == {"status": "ok"}


def test_a_guard_of_the_services_own_ends_a_request_whose_call_is_held(services: Services) -> None:
    solution = services.make(FASTAPI)
    app = solution.app(timeout=0.05)
    inference = held(solution)
    assert app.request("POST", "/predict", json={"text": "a"}).json() == {"error": "late"}
    assert len(inference.open) == 1


def test_a_call_may_fail_with_an_error_of_the_module(services: Services) -> None:
    solution = services.make(FASTAPI)
    app = solution.app()
    solution.stand_in("inference.run_inference").answer_with(
        lambda text: Failure("InferenceError", f"no model for {text}")
    )
    answer = app.request("POST", "/predict", json={"text": "a"}).json()
    assert answer == {"error": "no model for a"}


def test_a_call_that_the_test_does_not_answer_fails(services: Services) -> None:
    app = services.make(FASTAPI).app()
    response = app.request("POST", "/predict", json={"text": "a"})
    assert response.status == 500
    assert response.error == "RuntimeError: the test answers no such call"


def test_a_function_may_be_an_argument(services: Services) -> None:
    solution = services.make("def twice(ask, value):\n    return [ask(value), ask(value + 1)]\n")
    ask = solution.stand_in()
    ask.answer_with(lambda args: 10 * args[0])
    assert solution.twice(ask, 4) == [40, 50]
    assert [call["args"] for call in ask.calls] == [[4], [5]]


def test_requests_may_be_there_together(services: Services) -> None:
    source = """
        import asyncio
        seen = []

        async def app(scope, receive, send):
            assert scope["type"] == "http"
            seen.append(scope["query_string"].decode())
            await asyncio.sleep(0)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": repr(len(seen)).encode()})
    """
    app = services.make(source, name="app").app()
    sent = app.start_together("GET", "/", [{"query": {"n": str(n)}} for n in range(4)])
    assert [request.response().body for request in sent] == [b"4"] * 4


def test_calls_may_be_released_together(services: Services) -> None:
    solution = services.make(FASTAPI)
    app = solution.app()
    inference = held(solution)
    sent = [app.start("POST", "/predict", json={"text": text}) for text in ("a", "b")]
    app.settle(calls=2)
    inference.release(lambda text: {**ANSWER, "text": text})
    assert inference.open == []
    assert [request.response().json()["text"] for request in sent] == ["a", "b"]


def test_calls_are_known_in_the_order_in_which_they_came(services: Services) -> None:
    solution = services.make(FASTAPI)
    app = solution.app()
    inference = held(solution)
    for text in ("c", "a", "b"):
        app.start("POST", "/predict", json={"text": text})
        app.settle()
    assert [call["text"] for call in inference.calls] == ["c", "a", "b"]


def test_a_service_that_lets_a_moment_pass_is_waited_for(services: Services) -> None:
    slow = FASTAPI.replace(
        "            try:", "            await asyncio.sleep(0.2)\n            try:"
    )
    solution = services.make(slow)
    app = solution.app()
    inference = held(solution)
    app.start("POST", "/predict", json={"text": "a"})
    app.settle(calls=1)
    assert len(inference.open) == 1


@pytest.mark.slow
def test_a_service_that_never_rests_is_told(services: Services) -> None:
    busy = """
        def create_app():
            import threading
            def spin():
                while True:
                    pass
            threading.Thread(target=spin, daemon=True).start()
            async def app(scope, receive, send):
                raise NotImplementedError
            return app
    """
    assert services.make(busy).app().settle() is False


def test_a_body_comes_in_chunks(services: Services) -> None:
    source = """
        async def app(scope, receive, send):
            sizes, more = [], True
            while more:
                message = await receive()
                sizes.append(len(message["body"]))
                more = message["more_body"]
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": repr(sizes).encode()})
    """
    app = services.make(source, name="app").app()
    response = app.request("POST", "/", body=[b"abc", b"", b"defgh"])
    assert response.body == b"[3, 0, 5]"


def test_a_client_may_go_away(services: Services) -> None:
    source = """
        gone = []

        async def app(scope, receive, send):
            assert scope["type"] == "http"
            await receive()
            gone.append((await receive())["type"])
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": gone[0].encode()})
    """
    app = services.make(source, name="app").app()
    request = app.start("GET", "/")
    app.settle()
    assert request.done is False
    request.leave()
    assert request.response().body == b"http.disconnect"


def test_lifespan_starts_and_stops(services: Services) -> None:
    source = """
        import contextlib
        from fastapi import FastAPI
        seen = []

        @contextlib.asynccontextmanager
        async def lifespan(app):
            seen.append("up")
            yield {"name": "state"}
            seen.append("down")

        def told():
            return list(seen)

        def create_app():
            return FastAPI(lifespan=lifespan)
    """
    solution = services.make(source)
    app = solution.app()
    assert solution.told() == ["up"]
    app.stop()
    assert solution.told() == ["up", "down"]


BROKEN = {
    "a factory that raises": ("def create_app():\n    raise ValueError('no settings')\n", "no set"),
    "no app": ("x = 1\n", "does not define create_app"),
    "not an app": ("def create_app():\n    return 3\n", "gave a int, which is no ASGI app"),
    "WSGI": (
        "def create_app():\n    def app(environ, start):\n        return [b'']\n    return app\n",
        "is not an ASGI 3 application",
    ),
    "a lifespan that does not answer": (
        (
            "import asyncio\ndef create_app():\n    async def app(scope, receive, send):\n"
            "        await asyncio.sleep(3600)\n    return app\n"
        ),
        "does not answer the lifespan's startup",
    ),
    "a lifespan that fails": (
        (
            "def create_app():\n    async def app(scope, receive, send):\n        await receive()\n"
            "        await send({'type': 'lifespan.startup.failed', 'message': 'no disk'})\n"
            "    return app\n"
        ),
        "startup failed: no disk",
    ),
    "an exit in the lifespan": (
        (
            "def create_app():\n    async def app(scope, receive, send):\n"
            "        raise SystemExit\n    return app\n"
        ),
        "raised SystemExit",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", BROKEN)
def test_an_app_that_cannot_be_started_is_told_in_one_line(services: Services, case: str) -> None:
    source, told = BROKEN[case]
    with pytest.raises(CandidateError, match=told):
        services.make(source).app()


def test_a_server_that_is_started_at_import_is_refused(services: Services) -> None:
    solution = services.make("import uvicorn\nuvicorn.run('solution:create_app')\n")
    with pytest.raises(ChannelFailure, match="a server was started"):
        solution.app()
    assert solution.failure is not None
    assert solution.failure.cause == "load-error"


START = "await send({'type': 'http.response.start', 'status': 200, 'headers': []})"
BODY = "await send({'type': 'http.response.body', 'body': b'x'})"
UNRULY = {
    "nothing": ("pass", "returned without starting"),
    "no end": (START, "returned without ending"),
    "two starts": (f"{START}; {START}", "started its response twice"),
    "body first": (BODY, "without starting its response"),
    "more after the end": (f"{START}; {BODY}; {BODY}", "after the end of its response"),
    "odd status": (START.replace("200", "'200'"), "no status"),
    "odd headers": (START.replace("[]", "[('a', 'b')]"), "pairs of bytes"),
    "text as body": (f"{START}; {BODY}".replace("b'x'", "'x'"), "a body is bytes"),
    "a body without end": (
        f"{START}\n    while True: {BODY}".replace("b'x'", "bytes(1 << 20), 'more_body': True"),
        "larger than 4 MiB",
    ),
}


@pytest.mark.parametrize("case", UNRULY)
def test_a_response_that_breaks_the_protocol_is_told_in_one_line(
    services: Services, case: str
) -> None:
    lines, told = UNRULY[case]
    source = (
        f"async def app(scope, receive, send):\n    assert scope['type'] == 'http'\n    {lines}\n"
    )
    app = services.make(source, name="app").app()
    with pytest.raises(CandidateError, match=told):
        app.request("GET", "/")


def test_an_exit_in_a_handler_is_a_500(services: Services) -> None:
    source = "async def app(scope, receive, send):\n    raise SystemExit(3)\n"
    app = services.make(
        source.replace("raise", "assert scope['type'] == 'http'\n    raise"), name="app"
    ).app()
    assert app.request("GET", "/").status == 500
    assert app.request("GET", "/").error == "SystemExit: 3"


def test_a_request_that_is_never_answered_ends_with_the_time_limit(services: Services) -> None:
    source = """
        import asyncio

        async def app(scope, receive, send):
            assert scope["type"] == "http"
            await asyncio.sleep(3600)
    """
    app = services.make(source, name="app", seconds=0.5).app()
    with pytest.raises(ChannelFailure, match="time limit"):
        app.request("GET", "/")


def test_a_call_from_a_fork_is_refused_there(services: Services) -> None:
    source = """
        import os
        from inference import run_inference

        def forked():
            read, write = os.pipe()
            if os.fork() == 0:
                try:
                    run_inference("a")
                except RuntimeError as error:
                    os.write(write, str(error).encode())
                os._exit(0)
            return os.read(read, 1000).decode()
    """
    solution = services.make(source)
    inference = solution.stand_in("inference.run_inference")
    inference.answer_with(lambda text: text)
    told = "inference.run_inference can be called in the service's own process only"
    assert solution.forked() == told
    assert inference.calls == []


def test_a_call_with_other_arguments_is_a_type_error_there(services: Services) -> None:
    solution = services.make(
        "from inference import run_inference\ndef wrong():\n    return run_inference()\n"
    )
    with raises(TypeError):
        solution.wrong()


def test_a_call_in_a_thread_waits_until_something_is_asked(services: Services) -> None:
    source = """
        import threading
        from inference import run_inference
        got = []

        def begin():
            threading.Thread(target=lambda: got.append(run_inference("a")), daemon=True).start()

        def told():
            return list(got)

        async def app(scope, receive, send):
            raise NotImplementedError
    """
    solution = services.make(source, name="app")
    solution.stand_in("inference.run_inference").answer_with(lambda text: f"<{text}>")
    app = solution.app()
    solution.begin()
    app.settle()
    assert solution.told() == ["<a>"]


def test_a_flood_of_calls_fails_the_test(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.judge.asked.MAX_CALLS", 50)
    solution = services.make(
        "from inference import run_inference\ndef flood():\n    while True: run_inference('a')\n"
    )
    solution.stand_in("inference.run_inference").answer_with(lambda text: text)
    with pytest.raises(ChannelFailure, match="more than 50 calls"):
        solution.flood()


def test_a_large_argument_is_refused_there(services: Services) -> None:
    solution = services.make(
        "from inference import run_inference\ndef large():\n    run_inference('a' * (2 << 20))\n"
    )
    solution.stand_in("inference.run_inference").answer_with(lambda text: text)
    with pytest.raises(CandidateError, match="bytes"):
        solution.large()


class Answers:
    """A channel that gives prepared answers."""

    over = None

    def __init__(self, *answers: object) -> None:
        self.answers = [codec.encode(answer) for answer in answers]

    def serve_questions(self, source: object) -> None:
        pass

    def begin(self) -> bytes | None:
        return None

    def request(self, body: bytes, spent_ns: int = 0) -> tuple[bytes, Measure]:  # noqa: ARG002
        return self.answers.pop(0), Measure(1)

    def end(self) -> bool:
        return False

    def clock(self) -> Measure:
        return Measure(0)


FORGED: dict[str, list[object]] = {
    "an app without a number": [("value", ["x", []])],
    "an operation of no known form": [("value", 3)],
    "a response that nobody waits for": [("value", [0, [(1, ("response", 200, [], b"", None))]])],
    "a call without a name": [("call", 3, {})],
    "arguments that are no dict": [("call", "inference.run_inference", [1])],
    "names that are no names": [("call", "inference.run_inference", {"a b": 1})],
    "a second answer": [
        ("value", [0, []]),
        ("value", [[1], [(1, ("response", 200, [], b"", None))]]),
        ("value", [None, [(1, ("response", 200, [], b"", None))]]),
    ],
    "an odd status": [("value", [0, []]), ("value", [[1], [(1, ("response", 99, [], b"", None))]])],
    "odd headers": [
        ("value", [0, []]),
        ("value", [[1], [(1, ("response", 200, [["a"]], b"", None))]]),
    ],
    "an answer to a wait without the response": [
        ("value", [0, []]),
        ("value", [[1], []]),
        ("value", [None, []]),
    ],
}


@pytest.mark.parametrize("case", FORGED)
def test_what_has_no_known_form_fails_the_test(case: str) -> None:
    solution = Solution(Answers(*FORGED[case], ("value", [None, []])))
    with pytest.raises(ChannelFailure) as failure:  # noqa: PT012 - which of them finds it varies
        pending = solution.app().start("GET", "/")
        pending.response()
        pending._service.operate("settle", 0)
    assert failure.value.cause == "bad-reply"


def test_a_call_is_answered_once(services: Services) -> None:
    solution = services.make(FASTAPI)
    app = solution.app()
    inference = held(solution)
    app.start("POST", "/predict", json={"text": "a"})
    app.settle()
    call = inference.open[0]
    call.answer(ANSWER)
    with pytest.raises(JudgeFault, match="twice"):
        call.answer(ANSWER)


def overlapping(solution: Solution) -> list[object]:
    """A test of a service: what it saw."""
    app = solution.app()
    inference = held(solution)
    sent = [app.start("POST", "/predict", json={"text": text}) for text in ("a", "b", "a")]
    app.settle()
    seen: list[object] = [call["text"] for call in inference.calls]
    for call in inference.open:
        call.answer(ANSWER)
    seen += [request.response().body for request in sent]
    app.stop()
    solution.finish()
    return seen


def test_a_replay_gives_the_same_without_the_candidate(services: Services) -> None:
    seen = overlapping(services.make(FASTAPI))
    again = overlapping(Solution(Replayed(services.channels[0].log)))
    assert again == seen


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b"NaN", "NaN is no JSON"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b"[" * 100_000, "no JSON"),
    ],
    ids=["cut", "not UTF-8", "NaN", "a name twice", "deep"],
)
def test_a_body_that_is_no_json_fails_the_assertion(body: bytes, told: str) -> None:
    outcome = ("response", 200, [], body, None)
    solution = Solution(Answers(("value", [0, []]), ("value", [[1], [(1, outcome)]])))
    response = solution.app().request("GET", "/")
    with pytest.raises(AssertionError, match=told):
        response.json()
