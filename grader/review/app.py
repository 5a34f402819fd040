"""The addresses of the app, and what answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from grader.errors import GraderError, UsageError, unforeseen
from grader.review.blind import Views
from grader.review.forms import Forms
from grader.review.guard import Guard
from grader.review.interviews import Interviews
from grader.review.notebooks import Notebooks
from grader.review.pages import ASSETS, Pages
from grader.review.sessions import HOURS, Person

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from grader.decisions.events import Event
    from grader.review.board import Board
    from grader.review.guard import Origin
    from grader.review.sessions import Sessions

__all__ = ["make_app", "nobody"]

# No redirect: a browser that followed the link from another site would not send the strict cookie
# along with it, and the link would be used up.
_ENTERED = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Review</title>'
    '<meta http-equiv="refresh" content="0;url=/"></head>'
    '<body><p><a href="/">To the queue</a></p></body></html>\n'
)
# Programs that show a preview of a link ask for it by GET. An invitation is sent through them, so
# it is used by a form alone.
_INVITED = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Review</title>'
    '<meta name="viewport" content="width=device-width">'
    '<meta name="color-scheme" content="light dark"></head>'
    "<body><main><h1>Review</h1><p>You are invited to review. The link works once, in this "
    'browser.</p><form method="post"><input type="hidden" name="join" value="yes">'
    "<button autofocus>Start</button></form></main></body></html>\n"
)


def nobody(_alias: str, _event: Event) -> None:
    """Nobody is told of an event."""


def make_app(
    board: Board,
    *,
    origin: Origin,
    sessions: Sessions,
    header: str = "",
    root: Path | None = None,
    told: Callable[[str, Event], None] = nobody,
) -> ASGIApp:
    """The app over one folder of results.

    Args:
        board: the cases.
        origin: where the pages are, as a browser has it.
        sessions: who may see them.
        header: in which an authenticating proxy names the reviewer; empty for none.
        root: the checkout with the scorecards; None for none.
        told: called with the pseudonym and the event of each decision once it is on the disk.
    """
    pages = Pages(board, Views(board))
    forms = Forms(board, pages, lambda case, event: told(case.alias, event))
    notebooks = Notebooks(board, pages)
    interviews = Interviews(board, pages, root, told)
    pages.candidate_alias, pages.stages = interviews.alias, interviews.stages

    def fresh(page: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """A page over what is known at this moment, also from other processes."""

        def served(request: Request) -> Response:
            board.refresh()
            return page(request)

        return served

    def taken(form: Callable[[Request], Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
        """A form that is judged by what is known at this moment."""

        async def served(request: Request) -> Response:
            await run_in_threadpool(board.refresh)
            return await form(request)

        return served

    def enter(request: Request) -> Response:
        token = request.path_params["token"]
        if request.method == "HEAD":  # a program that looks at links, which would use it up
            return PlainTextResponse("Open this link in a browser.\n", 405)
        if request.method == "GET" and sessions.is_invitation(token):
            return HTMLResponse(_INVITED)
        person = sessions.join(token) if request.method == "POST" else sessions.enter(token)
        if person is None:
            return PlainTextResponse("This link was used before, or is over.\n", 403)
        answer = HTMLResponse(_ENTERED)
        answer.set_cookie(
            origin.cookie, sessions.cookie(person), max_age=HOURS * 3600, path="/",
            httponly=True, samesite="strict", secure=origin.secure,
        )  # fmt: skip
        return answer

    def asset(request: Request) -> Response:
        found = ASSETS().get(request.path_params["name"])
        if found is None:
            raise HTTPException(404, "there is no such file")
        kind, data = found
        headers = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(data, media_type=kind, headers=headers)

    case = "/case/{alias}"
    shown = {
        "/": pages.queue,
        "/table": pages.table,
        "/compare": pages.compare,
        "/interviews": interviews.index,
        "/interview/{card}/{alias}": interviews.form,
        "/candidate/{alias}": interviews.candidate,
        "/progress": pages.progress,
        "/agreement": pages.agreement,
        "/events": pages.events,
        case: pages.case,
        f"{case}/checks": pages.checks,
        f"{case}/check/{{number}}": pages.check,
        f"{case}/source": pages.source,
        f"{case}/source/{{number}}": pages.source,
        f"{case}/notebook": notebooks.page,
        f"{case}/notebook/frame": notebooks.frame,
        f"{case}/feedback": pages.feedback,
        f"{case}/history": pages.history,
    }
    posted = {
        f"{case}/decide": forms.decide,
        f"{case}/confirm": forms.confirm_all,
        f"{case}/note": forms.note,
        f"{case}/withdraw": forms.withdraw,
        "/unblind/{exercise}": forms.unblind,
        "/interviews": interviews.find,
        "/interview/{card}/{alias}": interviews.store,
    }
    answered = _answered(pages)
    app = Starlette(
        routes=[
            Route("/enter/{token}", enter, methods=["GET", "POST"]),
            Route("/static/{name}", asset, methods=["GET"]),
            *(Route(path, fresh(page), methods=["GET"]) for path, page in shown.items()),
            *(Route(path, taken(form), methods=["POST"]) for path, form in posted.items()),
        ],
        exception_handlers=dict.fromkeys((HTTPException, GraderError, Exception), answered),
    )
    return Guard(app, origin=origin, sessions=sessions, header=header)


def _answered(pages: Pages) -> Callable[[Request, Exception], Response]:
    """A refusal, or a fault of the program's or of the folder's: said on a page, without names."""

    def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            return _message(pages, request, error.status_code, error.detail)
        told = error if isinstance(error, GraderError) else unforeseen(error)
        status = 422 if isinstance(error, UsageError) and request.method == "POST" else 500
        return _message(pages, request, status, pages.board.mask(str(told)))

    return answer


def _message(pages: Pages, request: Request, status: int, text: str) -> Response:
    person = getattr(request.state, "person", None)
    if not isinstance(person, Person):
        return PlainTextResponse(f"{text}\n", status)
    return pages.render("message.html.j2", person, status=status, text=text)
