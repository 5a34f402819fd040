"""What stands between the network and the pages.

In order: the Host header is one of a few (a name that an attacker points at this machine is none of
them), only some methods are known, a body is small, whoever changes something comes from a page of
this origin, and everybody but who brings a link has a cookie. Every answer, also one to a fault,
has headers that allow nothing but this origin's style sheet and script. A fault is said on the page
and goes no further: a server would write it, and the names in it, to its log.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from grader.review.sessions import Person, Sessions

__all__ = ["POLICY", "Guard", "Origin"]

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not "no-referrer": a browser would then send no Origin with a form.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-robots-tag": "noindex, nofollow",
}
_MOST_BODY = 64 << 10
_MOST_DIGITS = 9
_FORM = "application/x-www-form-urlencoded"
_OPEN = ("/enter/", "/static/")


class Origin:
    """Where the pages are.

    Args:
        url: such as ``http://127.0.0.1:8765``, as a browser has it.
        also: further hosts under which the same pages may be asked for.
    """

    def __init__(self, url: str, *also: str) -> None:
        self.url = url.rstrip("/")
        scheme, _, host = self.url.partition("://")
        self.secure = scheme == "https"
        self.hosts = frozenset({host.lower(), *(name.lower() for name in also)})
        self.origins = frozenset(f"{scheme}://{name}" for name in self.hosts)
        port = host.rpartition(":")[2]
        self.cookie = f"{'__Host-' if self.secure else ''}review-{port if port.isdigit() else 443}"


class Guard:
    """The outermost layer, which lets a request through or answers it.

    Args:
        app: the pages.
        origin: where they are.
        sessions: who a cookie stands for.
        header: name of a header in which an authenticating proxy names the reviewer; empty where
            there is none.
    """

    def __init__(
        self, app: ASGIApp, *, origin: Origin, sessions: Sessions, header: str = ""
    ) -> None:
        self._app, self._origin, self._sessions = app, origin, sessions
        self._header = header.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # no websocket
            return

        started = False

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)  # a frame has a stricter policy of its own
                headers.setdefault("cache-control", "no-store")
            await send(message)

        if refusal := self._refusal(scope):
            await refusal(scope, receive, with_headers)
            return
        try:
            await self._app(scope, receive, with_headers)
        except Exception:  # noqa: BLE001 - said on the page already, where one could be made
            if not started:
                fault = PlainTextResponse("This page cannot be made: report it.\n", 500)
                await fault(scope, receive, with_headers)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        """The answer to a request that goes no further."""
        headers = Headers(scope=scope)
        if headers.get("host", "").lower() not in self._origin.hosts:
            return PlainTextResponse("This name is not one of this server's.\n", 421)
        if scope["method"] not in {"GET", "HEAD", "POST"}:
            return PlainTextResponse("Only GET and POST are known here.\n", 405)
        if scope["method"] == "POST":
            if not self._from_here(headers):
                return PlainTextResponse("This form was not sent by a page of this server.\n", 403)
            length = headers.get("content-length", "")
            if not (length.isascii() and length.isdigit() and len(length) < _MOST_DIGITS):
                return PlainTextResponse("The length of the form is missing.\n", 413)
            if int(length) > _MOST_BODY:
                return PlainTextResponse("The form is too long.\n", 413)
            if headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
                return PlainTextResponse("Only forms are read here.\n", 415)
        if scope["path"].startswith(_OPEN):
            return None
        person = self._person(headers)
        if person is None:
            return PlainTextResponse(
                "Open the link that grade review printed. Each link works once; for another, stop "
                "grade review and start it again, or ask who invited you.\n",
                401,
            )
        scope.setdefault("state", {})["person"] = person
        return None

    def _from_here(self, headers: Headers) -> bool:
        """Whether a form was sent by a page of this origin."""
        origin = headers.get("origin")
        if origin is not None:
            return origin.lower() in self._origin.origins
        return headers.get("sec-fetch-site") == "same-origin"

    def _person(self, headers: Headers) -> Person | None:
        if self._header:
            return self._sessions.proxied(headers.getlist(self._header))
        for line in headers.getlist("cookie"):
            try:
                cookie = SimpleCookie(line).get(self._origin.cookie)
            except CookieError:
                continue
            if cookie is not None and (person := self._sessions.person(cookie.value)):
                return person
        return None
