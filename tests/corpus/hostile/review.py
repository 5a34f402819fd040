"""The review app as a target: requests that it must refuse, and pages in which text must not act.

A request names what it is, how it is made from a folder with five cases, and with which statuses it
may be answered. Whatever it is, it stores no event, and its answer has the headers of every other.
"""

from __future__ import annotations

import html
import re
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "unit"))
from review_board import URL, client, fill

from grader.review.board import Board
from grader.text import for_html

if TYPE_CHECKING:
    from collections.abc import Mapping

    from review_board import Client

    from grader.review.board import Case

__all__ = ["REQUESTS", "Request", "answered", "page_problems"]

FORM = {"content-type": "application/x-www-form-urlencoded"}
HOME = {"origin": URL, **FORM}
_MOST_BYTES = 1_000_000
_LOCAL = re.compile(r"(/|#|\?)(?!/)")


@dataclass(frozen=True)
class Request:
    """One request.

    Attributes:
        expect: statuses with which it may be answered.
        path: in which ``{case}`` is the pseudonym of a case.
        logged_in: whether it brings a reviewer's cookie.
        fields: of the form; those that confirm a level are there unless they are replaced.
    """

    about: str
    expect: frozenset[int]
    method: str = "POST"
    path: str = "/case/{case}/decide"
    headers: Mapping[str, str] = field(default_factory=lambda: HOME)
    logged_in: bool = True
    fields: Mapping[str, object] = field(default_factory=dict)


def _request(about: str, *expect: int, **values: object) -> Request:
    return Request(about, frozenset(expect), **values)  # type: ignore[arg-type]


REQUESTS: dict[str, Request] = {
    "form-of-a-foreign-page": _request(
        "A form on another site that confirms a level.",
        403,
        headers={"origin": "https://evil.example", **FORM},
    ),
    "form-of-a-frame-without-origin": _request(
        "The same from a sandboxed frame, such as the notebook's.",
        403,
        headers={"origin": "null", **FORM},
    ),
    "form-of-another-port": _request(
        "The same from a candidate's web service on this machine.",
        403,
        headers={"origin": "http://127.0.0.1:9000", **FORM},
    ),
    "form-of-a-look-alike": _request(
        "An origin that begins as ours does.",
        403,
        headers={"origin": f"{URL}.evil.example", **FORM},
    ),
    "form-without-an-origin": _request("No header says where it comes from.", 403, headers=FORM),
    "form-of-the-same-site-only": _request(
        "Another port of the same site, by its own word.",
        403,
        headers={"sec-fetch-site": "same-site", **FORM},
    ),
    "text-that-is-no-form": _request(
        "A content type that needs no question before.",
        415,
        headers={**HOME, "content-type": "text/plain"},
    ),
    "json-that-is-no-form": _request(
        "A body of JSON.",
        415,
        headers={**HOME, "content-type": "application/json"},
    ),
    "name-that-points-here": _request(
        "A name of the attacker's that points at this machine.",
        421,
        method="GET",
        path="/",
        headers={"host": "evil.example:8765"},
    ),
    "no-cookie": _request(
        "Nobody's request for a page.", 401, method="GET", path="/table", logged_in=False
    ),
    "form-without-a-cookie": _request("A form from this origin of nobody.", 401, logged_in=False),
    "guessed-link": _request(
        "A link that nobody made.",
        403,
        method="GET",
        path="/enter/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        logged_in=False,
    ),
    "user-by-header": _request(
        "A proxy's header where there is no proxy.",
        401,
        method="GET",
        path="/",
        logged_in=False,
        headers={"x-forwarded-user": "rosa", "x-user": "rosa"},
    ),
    "method-by-header": _request(
        "A GET that says it is a POST.",
        405,
        method="GET",
        headers={"x-http-method-override": "POST"},
    ),
    "put": _request("A method that is not known.", 405, method="PUT"),
    "options": _request("A question before a request of another origin.", 405, method="OPTIONS"),
    "path-out-of-the-assets": _request(
        "A path that leaves the folder of assets.",
        404,
        method="GET",
        path="/static/..%2f..%2fboard.py",
    ),
    "path-out-of-the-cases": _request(
        "A case that is a path.",
        404,
        method="GET",
        path="/case/..%2f..%2fcases.json",
    ),
    "body-without-end": _request("A form of a megabyte.", 413, fields={"reason": "x" * 1_000_000}),
    "ten-thousand-fields": _request(
        "Many fields of little.",
        400,
        fields={f"f{n}": "" for n in range(5000)},
    ),
    "number-without-end": _request(
        "A number of five thousand digits.",
        404,
        method="GET",
        path="/case/{case}/check/" + "9" * 5000,
    ),
    "category-that-is-none": _request("A level of nothing.", 422, fields={"category": "__class__"}),
    "level-that-is-none": _request(
        "Level nine.", 422, fields={"action": "save", "level": 9, "reason": "x"}
    ),
    "another-run": _request("A decision on another run.", 422, fields={"run": "0" * 64}),
    "later-log": _request(
        "A page that has seen what never happened.", 422, fields={"seen": 999_999}
    ),
    "names-too-early": _request("Names before decisions.", 409, path="/unblind/imputation"),
    "names-of-nothing": _request("Names of what is no exercise.", 404, path="/unblind/nothing"),
    "withdrawal-of-nothing": _request(
        "An event that is not there.",
        422,
        path="/case/{case}/withdraw",
        fields={"refers": 1},
    ),
    "websites-frame": _request(
        "A page as a frame of another site: every answer forbids it.",
        200,
        method="GET",
        path="/",
        headers={"sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site"},
    ),
}


def answered(request: Request, folder: Path) -> tuple[str, ...]:
    """What is wrong with how the app answers a request.

    Args:
        request: what is sent.
        folder: an empty one for the cases.
    """
    board = Board(fill(folder), None)
    try:
        case = next(iter(board.cases.values()))
        browser = client(board)
        if not request.logged_in:
            browser.cookies.clear()
        return tuple(_problems(request, browser, board, case))
    finally:
        board.close()


def _problems(request: Request, browser: Client, board: Board, case: Case) -> list[str]:
    options: dict[str, object] = {}
    if request.method == "POST":
        sent = {"category": "problem_solving", "action": "confirm", "seen": 0}
        options["data"] = sent | {"run": case.run, "scoring": case.scoring} | dict(request.fields)
    path = request.path.replace("{case}", case.alias)
    answer = browser.ask(request.method, path, headers=dict(request.headers), **options)
    found = []
    if answer.status_code not in request.expect:
        found.append(f"answered {answer.status_code}, not {sorted(request.expect)}")
    if board.log.last:
        found.append("stored an event")
    policy = answer.headers.get("content-security-policy", "")
    if not policy.startswith("default-src 'none'") or "frame-ancestors 'none'" not in policy:
        found.append("answered without the policy")
    return found


class _Acting(HTMLParser):
    """What of a page could act, besides what its templates hold."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.scripts += tag == "script"
        if tag in {"object", "embed", "base", "style", "video", "audio"} or "http-equiv" in values:
            self.found.append(f"a <{tag}>")
        if tag == "iframe" and values.get("sandbox") != "":
            self.found.append("a frame without a sandbox")
        for name, value in values.items():
            if name.startswith("on") or name in {"style", "srcdoc", "formaction"}:
                self.found.append(f"the attribute {name}")
            if name in {"href", "src", "action", "data", "xlink:href"} and not _LOCAL.match(value):
                self.found.append(f"{name}={value[:40]!a}")


def page_problems(results: Path) -> list[str]:
    """Where a candidate's text acts in the pages about a folder of results.

    Args:
        results: filled by ``grade``; one case at least.
    """
    board = Board(results, None)
    try:
        browser = client(board)
        found: list[str] = []
        for alias in list(board.cases):
            for path in (
                "",
                "/checks",
                "/check/1",
                "/source",
                "/notebook",
                "/feedback",
                "/history",
            ):
                found += _on_page(browser, f"/case/{alias}{path}")
        for path in ("/", "/table", "/events", "/progress", "/agreement"):
            found += _on_page(browser, path)
        if board.log.last:
            found.append("a page stored an event")
        return found
    finally:
        board.close()


def _on_page(browser: Client, path: str) -> list[str]:
    answer = browser.get(path)
    page = _Acting()
    page.feed(answer.text)
    found = [f"{path} holds {what}" for what in dict.fromkeys(page.found)]
    if answer.status_code != 200:
        found.append(f"{path} was answered {answer.status_code}")
    if page.scripts != 1:
        found.append(f"{path} holds {page.scripts} scripts")
    if len(answer.content) > _MOST_BYTES:
        found.append(f"{path} has {len(answer.content):,} bytes")
    text = answer.text.replace("\n", "")
    if for_html(text) != html.escape(text):
        found.append(f"{path} holds characters that cannot be seen")
    return found
