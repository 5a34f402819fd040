"""The notebook in a frame: known tags only, a sandbox of its own, and no names while blind."""

from __future__ import annotations

import base64
import html
import re
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader.decisions.events import Draft, Kind
from grader.notebook.page import page_of
from grader.review.board import Board
from grader.review.frame import frame_of, without_names
from grader.review.mask import Mask, names_of

sys.path.insert(0, str(Path(__file__).parent))
from review_board import PEOPLE, case_of, client, fill, picture, ran

if TYPE_CHECKING:
    from collections.abc import Iterator


MASKED = Mask(name for person in PEOPLE for name in names_of(person))


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    made = Board(fill(tmp_path), None)
    yield made
    made.close()


def test_the_frame_is_a_document_in_a_sandbox_that_loads_nothing(board: Board) -> None:
    answer = client(board).get(f"/case/{case_of(board).alias}/notebook/frame")
    policy = answer.headers["content-security-policy"].split("; ")
    assert policy[:4] == [
        "sandbox", "default-src 'none'", "style-src 'unsafe-inline'", "img-src data:",
    ]  # fmt: skip
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert "data:image/png;base64," in answer.text


def test_only_the_page_of_the_notebook_may_hold_a_frame(board: Board) -> None:
    browser, case = client(board), case_of(board)
    policies = {
        path: browser.get(f"/case/{case.alias}{path}").headers["content-security-policy"]
        for path in ("", "/source", "/notebook")
    }
    assert [path for path, policy in policies.items() if "frame-src" in policy] == ["/notebook"]


@pytest.mark.parametrize(
    "put",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<a href='https://evil'>x</a>",
        "<svg onload=alert(1)>", "<style>@import url(https://evil)</style>", "<iframe src='/'>",
        "<form action='/'>", "<p onclick='x'>", "<meta http-equiv=refresh content='0;url=/'>",
        "<div style='background:url(https://evil)'>", "<base href='https://evil'>", "<!-- x -->",
    ],
)  # fmt: skip
def test_a_page_that_holds_anything_else_is_not_shown(board: Board, put: str) -> None:
    case = case_of(board)
    page = page_of(ran(PEOPLE[0]), "notes").replace("<h1>", f"{put}<h1>")
    (case.folder / "notebook.html").write_text(page, "utf-8")
    browser = client(board)
    assert browser.get(f"/case/{case.alias}/notebook/frame").status_code == 404
    text = browser.get(f"/case/{case.alias}/notebook").text
    assert "<iframe" not in text
    assert "no page of it as it ran" in text


def test_a_notebook_without_a_page_is_shown_as_text(board: Board) -> None:
    case = case_of(board)
    (case.folder / "notebook.html").unlink()
    page = client(board).get(f"/case/{case.alias}/notebook").text
    assert "<iframe" not in page
    assert "The notebook as text" in page


def test_a_page_that_is_too_long_for_the_app_is_not_framed() -> None:
    assert frame_of(page_of(f"<p>{'x' * 500_000}</p>", "notes"), None) == ""


@pytest.mark.parametrize("place", range(len(PEOPLE)))
def test_no_name_is_read_in_a_blind_frame(board: Board, place: int) -> None:
    person = PEOPLE[place]
    case = next(c for c in board.cases.values() if c.stored.who == person.identifier)
    page = client(board).get(f"/case/{case.alias}/notebook/frame").text
    data = "".join(re.findall(r"base64,([A-Za-z0-9+/=]+)", page))
    read = html.unescape(re.sub(r"<[^>]*>", "", page)) + page
    read += base64.b64decode(data).decode("latin-1")
    read = unicodedata.normalize("NFC", read)
    words = {person.first_name, person.last_name, person.username, person.email, person.identifier}
    found = re.compile(
        "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words), re.IGNORECASE
    )
    assert found.findall(read) == []


def test_names_show_in_the_frame_once_they_are_shown(board: Board) -> None:
    browser, address = client(board), f"/case/{case_of(board).alias}/notebook/frame"
    before = browser.get(address).text
    board.log.add(Draft(Kind.UNBLIND, "rosa", exercise="imputation"))
    assert [t.count("Annabelle Leitner") for t in (before, browser.get(address).text)] == [0, 1]


@pytest.mark.parametrize(
    ("fragment", "masked"),
    [
        ("<p>Anna<b>belle</b></p>", "<p>[name]<b></b></p>"),
        ("<p>L&#101;itner</p>", "<p>[name]</p>"),
        ("<p>M&uuml;&szlig;ig</p>", "<p>[name]</p>"),
        ("<td>Li</td><td>st</td>", "<td>[name]</td><td>st</td>"),
        ("<p>List</p>", "<p>List</p>"),
        ('<div class="leitnerpower x">1</div>', "<div>1</div>"),
        ('<div class="cell">a &lt; b &amp; c</div>', '<div class="cell">a &lt; b &amp; c</div>'),
    ],
)
def test_a_name_is_masked_where_a_reader_would_see_it(fragment: str, masked: str) -> None:
    assert without_names(fragment, MASKED) == masked


def test_a_picture_keeps_its_pixels_and_loses_its_author() -> None:
    whole = picture("Annabelle Leitner")
    packed = base64.b64encode(whole).decode()
    page = without_names(f'<img src="data:image/png;base64,{packed}" alt="figure">', MASKED)
    left = base64.b64decode(page.split("base64,")[1].split('"')[0])
    assert (b"Annabelle" in whole, b"Annabelle" in left) == (True, False)
    assert (b"IDAT" in left, left[-8:-4]) == (True, b"IEND")


def test_a_jpeg_loses_comments_and_what_applications_wrote() -> None:
    def segment(kind: int, data: bytes) -> bytes:
        return bytes([0xFF, kind]) + (len(data) + 2).to_bytes(2) + data

    kept = segment(0xE0, b"JFIF\0") + segment(0xDB, b"table")
    names = segment(0xE1, b"Exif Annabelle") + segment(0xFE, b"by Annabelle")
    scan = segment(0xDA, b"header") + b"pixels\xff\xd9"
    packed = base64.b64encode(b"\xff\xd8" + names + kept + scan).decode()
    page = without_names(f'<img src="data:image/jpeg;base64,{packed}" alt="figure">', MASKED)
    left = base64.b64decode(page.split("base64,")[1].split('"')[0])
    assert left == b"\xff\xd8" + kept + scan


def test_a_picture_that_cannot_be_read_is_left_out() -> None:
    packed = base64.b64encode(picture("x")[:-20]).decode()
    page = without_names(f'<img src="data:image/png;base64,{packed}" alt="figure">', MASKED)
    assert page == '<img src="data:image/png;base64," alt="figure">'
