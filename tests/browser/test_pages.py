"""The HTML pages in a real browser: accessible, inert, usable on a phone, by keyboard, on paper."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader.models import Cause, Measurement
from grader.report.html import feedback_page, reviewer_page

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from sample_dossier import ATTACK, dossier, largest_dossier
from sample_report import record, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from grader.report.dossier import Dossier

ROOT = Path(__file__).resolve().parents[2]
WIDE, PHONE = (1280, 900), (390, 844)
NOTEBOOK = (
    "<!doctype html><html lang=en><title>n</title><style>p{color:rgb(1,2,3)}</style><p id=p>out</p>"
    "<script>document.getElementById('p').textContent='RAN'</script>"
    "<img alt='' src='https://example.com/x.png'></html>"
)


def _not_sent(request: Any, log: list[str]) -> None:
    """Take back what the page's policy stopped before anything was sent; offline is too late."""
    if request.failure == "csp":
        log.remove(request.url)


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    contexts = []

    def opened(
        html: str, size: tuple[int, int] = WIDE, *, scheme: Any = "light", log: Any = None
    ) -> Page:
        path = tmp_path / f"page{len(contexts)}.html"
        path.write_text(html, "utf-8")
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, offline=True,
            reduced_motion="reduce",
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        if log is not None:
            page.on("console", lambda message: log.append(message.text))
            page.on("dialog", lambda dialog: log.append(dialog.message))
            page.on("request", lambda request: log.append(request.url))
            page.on("requestfailed", lambda request: _not_sent(request, log))
        page.goto(path.as_uri(), wait_until="networkidle")
        return page

    yield opened
    for context in contexts:
        context.close()


def measured() -> Dossier:
    """A run with every kind of drawing."""
    figures = (
        Measurement("reliability[confidence 0.6-0.7, n=5]", 0.4, "share right", 0.65),
        Measurement("reliability[confidence 0.9-1.0, n=90]", 0.9, "share right", 0.95),
        Measurement("accuracy by channel[email]", 0.9, "share right", 0.8),
        Measurement("largest change", 0.4, "score", 1e-8),
        Measurement("accuracy", 0.9, "share", 0.85),
    )
    leak = dataclasses.replace(record("leak", message="moved"), measurements=figures)
    slow = dataclasses.replace(record("slow", message="late"), cause=Cause.TIMEOUT)
    base = dossier(notebook=NOTEBOOK)
    return dataclasses.replace(
        base, report=report(*base.report.evidence, leak, slow, record("more", criterion="scale"))
    )


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["reviewer", "feedback"])
def test_axe_finds_nothing(
    show: Callable[..., Page], axe: str, kind: str, scheme: str, size: tuple[int, int]
) -> None:
    made = measured()
    page = show(
        reviewer_page(made) if kind == "reviewer" else feedback_page(made.report),
        size,
        scheme=scheme,
    )
    page.evaluate(axe)
    options = {"iframes": False}  # the notebook's own document is not ours
    found = page.evaluate("options => axe.run(document, options)", options)
    told = [(v["id"], v["impact"], v["nodes"][0]["html"][:200]) for v in found["violations"]]
    assert told == []


def test_hostile_text_runs_nothing_and_asks_for_nothing(show: Callable[..., Page]) -> None:
    for made in (dossier(ATTACK), dossier(ATTACK, notebook=NOTEBOOK + f"<p>{ATTACK}")):
        for html in (reviewer_page(made), feedback_page(made.report)):
            log: list[str] = []
            page = show(html, log=log)
            refused = ("Blocked script", "Content Security Policy", "Not allowed to load local")
            local = ("file:", "about:srcdoc")
            assert not [
                line
                for line in log
                if not line.startswith(local) and not any(word in line for word in refused)
            ]
            assert page.evaluate("document.scripts.length") == 0


def test_a_notebook_shows_its_style_and_runs_no_script(show: Callable[..., Page]) -> None:
    page = show(reviewer_page(dossier(notebook=NOTEBOOK)))
    text = page.frame_locator("iframe").locator("#p")
    assert text.inner_text() == "out"
    assert text.evaluate("node => getComputedStyle(node).color") == "rgb(1, 2, 3)"


def test_a_phone_needs_no_scrolling_sideways(show: Callable[..., Page]) -> None:
    for html in (reviewer_page(measured()), feedback_page(measured().report)):
        page = show(html, PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_the_reason_for_a_level_is_two_clicks_away(show: Callable[..., Page]) -> None:
    page = show(reviewer_page(measured()))
    page.get_by_role("table").first.get_by_role("link", name="Code correctness").click()
    reason = page.locator("#reason-code-correctness")
    assert in_view(page, "#reason-code-correctness")
    card = reason.locator("..")
    assert "needs" in card.inner_text()
    card.get_by_role("link", name="Title of leak").click()
    target = page.evaluate("location.hash")
    assert in_view(page, target)
    assert "moved" in page.locator(target).inner_text()


def test_a_link_opens_what_is_folded(show: Callable[..., Page]) -> None:
    page = show(reviewer_page(dossier()))
    folded = page.locator("details:not([open]) > .inside[id^=check-]").first
    page.evaluate("id => { location.hash = id }", folded.get_attribute("id"))
    page.wait_for_function("id => document.getElementById(id).checkVisibility()",
                           arg=page.evaluate("location.hash.slice(1)"))  # fmt: skip


def in_view(page: Page, selector: str) -> bool:
    page.wait_for_timeout(50)
    place = page.locator(selector).bounding_box()
    assert place is not None
    return bool(0 <= place["y"] < WIDE[1])


def test_the_keyboard_reaches_and_opens_everything(show: Callable[..., Page]) -> None:
    page = show(reviewer_page(dossier()))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the levels"
    page.locator("details:not([open]) > summary").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open") is True
    page.evaluate(
        "window.seen = new Set(); addEventListener('focusin', e => window.seen.add(e.target))"
    )
    for _ in range(page.locator("a, summary, [tabindex]").count() + 5):
        page.keyboard.press("Tab")
    missed = page.evaluate(
        "[...document.querySelectorAll('main a, summary')]"
        ".filter(a => a.checkVisibility() && !window.seen.has(a)).map(a => a.outerHTML)"
    )
    assert missed == []


def test_links_of_the_parts_lead_to_their_headings(show: Callable[..., Page]) -> None:
    page = show(reviewer_page(largest_dossier()))
    page.emulate_media(reduced_motion="reduce")  # the others scroll there smoothly
    for link in page.locator("nav.parts a").all():
        link.click()
        page.wait_for_timeout(100)
        top, last = page.evaluate(
            "() => [document.querySelector(location.hash).getBoundingClientRect().top,"
            " innerHeight + scrollY >= document.documentElement.scrollHeight - 2]"
        )
        assert 0 <= top < 200 or last, link.inner_text()


def test_paper_shows_what_is_folded(show: Callable[..., Page]) -> None:
    page = show(reviewer_page(dossier()))
    page.locator("#whole").check()
    folded = page.locator("details:not([open]) > .inside").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert folded.evaluate("node => node.getBoundingClientRect().height") > 0
    assert page.locator("nav.parts").is_hidden()


def test_paper_is_one_page_with_the_levels_and_what_did_not_hold(
    show: Callable[..., Page],
) -> None:
    page = show(reviewer_page(largest_dossier()))
    assert page.locator(".paper").is_hidden()
    page.emulate_media(media="print")
    assert page.locator(".levels").is_visible()
    assert page.locator(".paper").is_visible()
    assert page.locator("#checks").is_hidden()
    assert page.pdf(format="A4").count(b"/Type /Page\n") == 1


def test_the_page_of_the_largest_solution_is_small(show: Callable[..., Page]) -> None:
    html = reviewer_page(largest_dossier())
    assert len(html.encode()) < 2_000_000
    assert show(html).locator("h1").is_visible()
