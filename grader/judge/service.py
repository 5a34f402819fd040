"""The submission's web application as hidden tests use it: requests, responses, rest."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from grader.judge.asked import Asked
    from grader.judge.errors import CandidateError

__all__ = ["App", "Pending", "Response", "Service"]

_HOST = "service.test"
_PATH = "/%:@!$&'()*+,;=~-._"  # stay as they are in a path, also an escape


@dataclass(frozen=True, slots=True)
class Response:
    """What the application sent. All of it is the candidate's, and data.

    Attributes:
        status: of the response, 200 to 599.
        headers: in the order in which they were sent, names in lower case.
        body: its bytes.
        error: what the application raised beside it; empty where nothing was.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    error: str = ""

    def header(self, name: str) -> str:
        """A header's value, "" where it is missing; several are joined by a comma."""
        return ", ".join(value for key, value in self.headers if key == name.lower())

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.header("content-type").partition(";")[0].strip().lower()

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The body as JSON: dicts, lists, str, int, float, bool and None.

        Raises:
            AssertionError: it is not UTF-8, not JSON, holds NaN or an infinity, or a name twice.
        """
        try:
            return json.loads(
                self.body.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_once
            )
        except (ValueError, RecursionError) as error:
            raise AssertionError(f"the body is no JSON: {str(error)[:200]}") from None

    def __repr__(self) -> str:
        shown = f"{self.status} {self.media_type or 'without a content type'}"
        raised = f", it raised {self.error}" if self.error else ""
        return f"<response {shown}, {len(self.body)} bytes{raised}>"


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no JSON")


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


@dataclass(eq=False)
class Pending:
    """A request that was sent.

    Attributes:
        done: whether its answer was there when the application was last asked or came to rest.
    """

    _service: Service
    _number: int
    done: bool = False
    _outcome: Response | CandidateError | None = field(default=None)

    def response(self) -> Response:
        """Wait for the response.

        Raises:
            CandidateError: the application sent none, or broke the protocol.
        """
        if not self.done:
            self._service.operate("wait", self._number)
        if self._outcome is None:
            self._service.fail("bad-reply", "a request that has ended has no response")
        if not isinstance(self._outcome, Response):
            raise self._outcome
        return self._outcome

    def wait(self, seconds: float) -> bool:
        """Wait for the response at most so long; returns whether it is there.

        The time is the candidate's to keep: let no verdict need that it was short.
        """
        if not self.done:
            self._service.operate("wait", self._number, float(seconds))
        return self.done

    def leave(self) -> None:
        """Let the client go away: the application is told that it has disconnected."""
        self._service.operate("leave", self._number)

    def end(self, outcome: Response | CandidateError) -> None:
        """Its answer has come."""
        self.done, self._outcome = True, outcome


class App:
    """One application in the candidate's process, started by its lifespan."""

    def __init__(self, service: Service, number: int) -> None:
        self._service = service
        self._number = number

    def request(self, method: str, path: str, **content: Any) -> Response:  # noqa: ANN401
        """Send a request and wait for its response; arguments as for `start`."""
        return self.start(method, path, **content).response()

    def start(
        self,
        method: str,
        path: str,
        *,
        json: object = ...,
        body: bytes | Sequence[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Pending:
        """Send a request without waiting.

        Args:
            method: such as ``"POST"``.
            path: such as ``"/predict"``.
            json: a body as JSON, with its content type; ``...`` for none.
            body: the bytes of a body, or a list of chunks in which it comes.
            headers: more headers, which replace those that are made here.
            query: parameters behind the path.
        """
        request = _request(method, path, json=json, body=body, headers=headers, query=query)
        return self._service.submit(self._number, [request])[0]

    def start_together(
        self, method: str, path: str, contents: Sequence[Mapping[str, Any]]
    ) -> list[Pending]:
        """Send requests without waiting; all are there before the application sees the first.

        Args:
            method: of all of them.
            path: of all of them.
            contents: of each one its other arguments, as for `start`.
        """
        requests = [_request(method, path, **content) for content in contents]
        return self._service.submit(self._number, requests)

    def settle(self, *, calls: int = 0) -> bool:
        """Wait until nothing in the service can run until something outside happens.

        Each of its threads then waits: for an answer of the judge's, for another thread, for a
        request, or for a clock. Which calls are open and which requests are done is known then.

        Args:
            calls: how many calls of stand-ins the test expects altogether. A service that lets a
                moment pass before it calls is given one second for them.

        Returns:
            False where the service never comes to rest. No verdict may hang on it.
        """
        return self._service.operate("settle", calls) is True

    def stop(self) -> None:
        """Stop the application by its lifespan.

        Raises:
            CandidateError: it fails at that, or does not answer.
        """
        self._service.operate("stop", self._number)


def _request(
    method: str,
    path: str,
    *,
    json: object = ...,
    body: bytes | Sequence[bytes] = b"",
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> dict[str, object]:
    made = {"host": _HOST}
    chunks = [body] if isinstance(body, bytes) else list(body)
    if json is not ...:
        chunks = [_dumped(json)]
        made["content-type"] = "application/json"
    if isinstance(body, bytes):
        made["content-length"] = str(len(chunks[0]))
    else:
        made["transfer-encoding"] = "chunked"
    made |= {name.lower(): value for name, value in (headers or {}).items()}
    return {
        "method": method,
        "path": quote(path, safe=_PATH),
        "query": urlencode(query or {}).encode(),
        "headers": [[name.encode(), value.encode("latin-1")] for name, value in made.items()],
        "chunks": chunks,
    }


def _dumped(value: object) -> bytes:
    return json.dumps(value, allow_nan=False).encode()


class Service:
    """The applications of one process, and the requests that wait for their answers.

    Args:
        ask: one question of the protocol.
        fail: latches a failure of the channel and raises it.
        error: makes an error of the submission's of what crossed.
        asked: what the submission may ask back about.
    """

    def __init__(
        self,
        ask: Callable[..., object],
        fail: Callable[[str, str], NoReturn],
        error: Callable[..., CandidateError],
        asked: Asked,
    ) -> None:
        self._ask = ask
        self.fail = fail
        self._error = error
        self.asked = asked
        self._pending: dict[int, Pending] = {}

    def add(self, args: Sequence[object], kwargs: Mapping[str, object]) -> App:
        """Start an application."""
        number = self.operate("add", list(args), dict(kwargs))
        if type(number) is not int:
            self.fail("bad-reply", "an application has no number")
        return App(self, number)

    def submit(self, app: int, requests: Sequence[Mapping[str, object]]) -> list[Pending]:
        """Send requests, all of which are there before the application sees the first."""
        told, finished = self._told("submit", app, [dict(request) for request in requests])
        if type(told) is not list or len(told) != len(requests):
            self.fail("bad-reply", "requests have no numbers of their own")
        made = []
        for number in told:
            if type(number) is not int or number in self._pending:
                self.fail("bad-reply", "a request has no number of its own")
            self._pending[number] = Pending(self, number)
            made.append(self._pending[number])
        self._take(finished)
        return made

    def operate(self, operation: str, *arguments: object) -> object:
        """One operation there; takes the responses that have come meanwhile."""
        told, finished = self._told(operation, *arguments)
        self._take(finished)
        return told

    def _told(self, operation: str, *arguments: object) -> tuple[object, list[object]]:
        match self._ask("service", operation, *arguments):
            case [told, list(finished)]:
                return told, finished
        return self.fail("bad-reply", "an operation on a service has no known form")

    def _take(self, finished: Sequence[object]) -> None:
        for item in finished:
            match item:
                case (int(number), tuple(outcome)) if number in self._pending:
                    pending = self._pending[number]
                    if pending.done:
                        self.fail("bad-reply", "a request is answered twice")
                    pending.end(self._outcome(outcome))
                case _:
                    self.fail("bad-reply", "a response has no known form")

    def _outcome(self, outcome: tuple[object, ...]) -> Response | CandidateError:
        match outcome:
            case ("response", int(status), list(pairs), bytes(body), raised) if (
                200 <= status <= 599  # noqa: PLR2004 - statuses of a response
            ):
                told = self._raised(raised) if isinstance(raised, tuple) else None
                return Response(status, self._headers(pairs), body, f"{told}" if told else "")
            case _:
                return self._raised(outcome)

    def _raised(self, described: tuple[object, ...]) -> CandidateError:
        match described:
            case ("error", type_name, bases, message, where):
                return self._error(type_name, bases, message, where)
        return self.fail("bad-reply", "a response has no known form")

    def _headers(self, pairs: Sequence[object]) -> tuple[tuple[str, str], ...]:
        found = []
        for pair in pairs:
            match pair:
                case [bytes(name), bytes(value)]:
                    found.append((name.decode("latin-1").lower(), value.decode("latin-1")))
                case _:
                    self.fail("bad-reply", "the headers of a response have no known form")
        return tuple(found)
