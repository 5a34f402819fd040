"""Ways to get at names, at colleagues' opinions or at the log through the app; none works."""

from __future__ import annotations

import html
import json
import logging
import re
import sqlite3
import sys
import unicodedata
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader.collect.cases import StoredCase, read_cases
from grader.collect.roster import Person
from grader.decisions.events import Draft, Kind
from grader.errors import PlatformError
from grader.review.app import make_app
from grader.review.board import Board
from grader.review.guard import Origin
from grader.review.mask import Mask, names_of
from grader.review.sessions import Person as Reviewer
from grader.review.sessions import Sessions, invite

sys.path.insert(0, str(Path(__file__).parent))
from review_board import (
    PEOPLE,
    URL,
    Client,
    boards_over,
    case_of,
    client,
    decide,
    fill,
    form,
    hostile,
    regraded,
    store,
    write_cases,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from grader.review.board import Case

ROOT = Path(__file__).resolve().parents[2]
MINE = "problem_solving"  # the provisional category
FIRM = "code_correctness"


@pytest.fixture
def boards(tmp_path: Path) -> Iterator[Callable[..., Board]]:
    with boards_over(tmp_path) as made:
        yield made


@pytest.fixture
def board(boards: Callable[..., Board]) -> Board:
    return boards()


# what a request can be


@pytest.mark.parametrize(
    "path",
    ["/table?page=" + "9" * 5000, "/case/{a}/check/" + "9" * 5000, "/case/{a}/source/" + "9" * 5000,
     "/?page=" + "9" * 5000, "/case/{a}/source?part=" + "9" * 5000],
)  # fmt: skip
def test_a_number_without_end_is_no_fault(board: Board, path: str) -> None:
    answer = client(board).get(path.format(a=case_of(board).alias))
    assert answer.status_code in {200, 404}


@pytest.mark.parametrize(
    "path", ["/case/..%2f..%2fcases.json", "/static/..%2f..%2fapp.py", "/static/%2e%2e/app.py",
             "/case/%00", "/interview/..%2f/x"],
)  # fmt: skip
def test_a_path_leads_nowhere_else(board: Board, path: str) -> None:
    answer = client(board, root=ROOT).get(path)
    assert answer.status_code in {403, 404}


@pytest.mark.parametrize("length", ["\u00b2", "-1", "1e3", "", " 5"])
def test_a_length_that_is_no_number_is_refused(board: Board, length: str) -> None:
    browser = client(board)
    headers = [(b"origin", URL.encode()), (b"content-length", length.encode("latin-1"))]
    answer = browser.ask("POST", f"/case/{case_of(board).alias}/note", headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data", ""])
def test_a_post_that_is_no_form_is_refused(board: Board, kind: str) -> None:
    case = case_of(board)
    answer = client(board).post(
        f"/case/{case.alias}/decide", form(board, case, action="confirm"),
        headers={"origin": URL, "content-type": kind},
    )  # fmt: skip
    assert answer.status_code == 415
    assert board.log.last == 0


@pytest.mark.parametrize("header", ["x-http-method-override", "x-method-override", "x-http-method"])
def test_no_header_makes_a_get_a_post(board: Board, header: str) -> None:
    case = case_of(board)
    answer = client(board).get(f"/case/{case.alias}/confirm", headers={header: "POST"})
    assert answer.status_code == 405
    assert board.log.last == 0


def test_a_look_at_a_link_does_not_use_it_up(board: Board) -> None:
    sessions = Sessions(board, "rosa")
    browser = Client(make_app(board, origin=Origin(URL), sessions=sessions))
    token = sessions.link(Reviewer("rosa"))
    assert browser.ask("HEAD", f"/enter/{token}").status_code == 405
    assert browser.get(f"/enter/{token}").status_code == 200


def test_a_preview_of_an_invitation_does_not_use_it_up(board: Board) -> None:
    app = make_app(board, origin=Origin(URL), sessions=Sessions(board, "rosa"))
    path = f"/enter/{invite(board, 'tom', 'rosa')}"
    for _ in range(2):
        preview = Client(app, origin="").get(path)
        assert preview.status_code == 200
        assert "tom" not in preview.text
        assert not preview.cookies
    elsewhere = {"origin": "http://evil.example"}
    assert Client(app, **elsewhere).post(path, {"join": "yes"}).status_code == 403
    browser = Client(app)
    assert "set-cookie" in browser.post(path, {"join": "yes"}).headers
    assert browser.get("/").status_code == 200
    assert Client(app).post(path, {"join": "yes"}).status_code == 403
    assert Client(app).get(path).status_code == 403


def test_a_printed_link_is_no_form(board: Board) -> None:
    sessions = Sessions(board, "rosa")
    browser = Client(make_app(board, origin=Origin(URL), sessions=sessions))
    path = f"/enter/{sessions.link(Reviewer('rosa'))}"
    assert browser.post(path, {"join": "yes"}).status_code == 403
    assert browser.get(path).status_code == 200


@pytest.mark.parametrize(
    ("path", "field"), [("note", "text"), ("decide", "category"), ("withdraw", "category")]
)
def test_a_field_that_is_too_long_is_said_and_is_no_fault(
    board: Board, path: str, field: str
) -> None:
    case = case_of(board)
    answer = client(board).post(f"/case/{case.alias}/{path}", {field: "x" * 5000})
    assert answer.status_code == 422
    assert "at most 4,000 characters" in answer.text


@pytest.mark.parametrize("category", ["nothing", "", "code_correctness ", "<b>", "__class__"])
def test_a_decision_on_what_is_no_category_is_refused(board: Board, category: str) -> None:
    case = case_of(board)
    fields = {"level": 1, "reason": "because", "category": f"{category}x"}
    assert decide(client(board), board, case, **fields).status_code == 422
    assert board.log.last == 0


def test_a_link_is_used_once_although_two_processes_see_it_at_the_same_moment(
    boards: Callable[..., Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    board, other = boards(), boards()
    token = invite(board, "tom", "rosa")
    entered: list[object] = []
    look = Board.refresh

    def looked(self: Board) -> None:
        look(self)
        if self is board and not entered:  # the other one comes in after this one has looked
            entered.append(None)
            entered.append(Sessions(other).join(token))

    monkeypatch.setattr(Board, "refresh", looked)
    assert Sessions(board).join(token) is None
    assert entered[1] == Reviewer("tom")
    assert [event.kind for event in board.log.events()] == [Kind.INVITE, Kind.JOIN]


# faults of the folder


def test_a_fault_has_the_headers_of_every_answer_and_names_nobody_in_a_log(
    board: Board, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    case = case_of(board)
    (case.folder / "submission.zip").write_bytes(b"no archive")
    with caplog.at_level(logging.DEBUG):
        answer = client(board, raised=True).get(f"/case/{case.alias}/source")
    assert answer.status_code == 500
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"
    logged = caplog.text + "".join(capfd.readouterr())
    assert [name for name in ("annabelle", "leitner") if name in logged.lower()] == []


def test_a_defect_of_the_program_is_said_on_a_page_without_names(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Board, _case: Case) -> Any:
        raise RuntimeError(f"no such thing: {PEOPLE[0].email}")

    monkeypatch.setattr(Board, "dossier", broken)
    answer = client(board, raised=True).get(f"/case/{case_of(board).alias}/source")
    assert answer.status_code == 500
    assert "a defect of it" in answer.text
    assert PEOPLE[0].email not in answer.text
    assert "content-security-policy" in answer.headers


def test_a_log_that_is_moved_away_takes_no_decision(board: Board) -> None:
    browser, case = client(board), case_of(board)
    decide(browser, board, case, action="confirm")
    board.log.path.rename(board.folder / "elsewhere.sqlite")
    answer = decide(browser, board, case_of(board, 1), action="confirm")
    assert answer.status_code == 500
    assert "was moved or replaced" in answer.text


def test_a_log_that_is_replaced_takes_no_decision(board: Board) -> None:
    browser = client(board)
    copy = board.log.path.with_name("copy.sqlite")
    copy.write_bytes(board.log.path.read_bytes())
    copy.replace(board.log.path)
    answer = decide(browser, board, case_of(board), action="confirm")
    assert answer.status_code == 500
    assert "was moved or replaced" in answer.text


def edited(board: Board, statement: str, *values: object) -> None:
    """Change the log as somebody does who holds the file."""
    with sqlite3.connect(board.log.path) as db:
        for name in ("events_stay", "events_are_kept", "texts_stay", "texts_go_with_their_case"):
            db.execute(f"DROP TRIGGER IF EXISTS {name}")
        db.execute(statement, values)
    db.close()


def test_pages_say_that_the_log_was_edited_by_hand(boards: Callable[..., Board]) -> None:
    board = boards()
    decide(client(board), board, case_of(board), action="confirm")
    body = board.log.rows()[0][1]
    edited(board, "UPDATE events SET body = ?", body.replace('"by":"rosa"', '"by":"tom"'))
    page = client(boards()).get("/").text
    assert "event 1 is not as it was written" in page
    assert "grade audit" in page


def test_pages_say_that_events_were_cut_off_while_they_are_served(board: Board) -> None:
    browser = client(board)
    decide(browser, board, case_of(board), action="confirm")
    assert "grade audit" not in browser.get("/").text
    edited(board, "DELETE FROM events")
    assert "grade audit" in browser.get("/").text


def test_pages_say_that_an_event_was_added_by_hand(board: Board) -> None:
    browser = client(board)
    decide(browser, board, case_of(board), action="confirm")
    body = board.log.rows()[0][1].replace('"seq":1', '"seq":2').replace('"by":"rosa"', '"by":"tom"')
    edited(board, "INSERT INTO events VALUES (2, ?, ?)", body, "0" * 64)
    assert "event 2 is not as it was written" in browser.get("/").text


@pytest.mark.parametrize(
    "change",
    [("level", 9), ("level", "3"), ("data", "abc"), ("refers", "1"), ("seq", "1"), ("by", None)],
)
def test_an_event_of_another_form_is_no_event(board: Board, change: tuple[str, object]) -> None:
    decide(client(board), board, case_of(board), action="confirm")
    values = json.loads(board.log.rows()[0][1]) | dict([change])
    edited(board, "UPDATE events SET body = ?", json.dumps(values))
    with pytest.raises(PlatformError, match="no event of this version"):
        board.log.events()


def test_a_page_of_a_later_log_than_this_one_is_refused(board: Board) -> None:
    case = case_of(board)
    decide(client(board, "tom"), board, case, action="confirm")
    answer = decide(client(board), board, case, level=1, reason="mine", seen=999)
    assert answer.status_code == 422
    assert board.log.last == 1


def test_a_case_that_was_graded_again_in_its_folder_is_read_again(board: Board) -> None:
    browser, case = client(board), case_of(board)
    early = form(board, case, action="confirm")
    regraded(board.folder, PEOPLE[0])
    (board.folder / "cases.json").touch()
    answer = browser.post(f"/case/{case.alias}/decide", early)
    assert answer.status_code == 422
    assert "scored again since you opened" in answer.text


# names


def test_a_case_that_comes_after_names_were_shown_is_blind(board: Board) -> None:
    browser = client(board)
    for case in board.cases.values():
        decide(browser, board, case, action="confirm")
    assert browser.post("/unblind/imputation").status_code == 200
    late = Person("late.comer", "latecomer7", "Valentina", "Kowalczyk", "vk@example.org")
    made, files = hostile(late, 7)
    stored = read_cases(board.folder)
    run = store(board.folder, made, files).relative_to(board.folder).as_posix()
    case = StoredCase(late.identifier, made.exercise_id, run, ("late.comer",))
    write_cases(board.folder, (*stored.people, late), [*stored.cases, case])
    page = browser.get("/table").text
    assert "Annabelle Leitner" in page
    assert "Kowalczyk" not in page
    new = next(c for c in board.cases.values() if c.stored.who == late.identifier)
    assert "Kowalczyk" not in browser.get(f"/case/{new.alias}/source").text
    assert browser.post("/unblind/imputation").status_code == 409
    decide(browser, board, new, action="confirm")
    assert browser.post("/unblind/imputation").status_code == 200
    assert "Kowalczyk" in browser.get("/table").text


def test_names_of_newcomers_are_masked_before_their_cases_show(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = Person("late.comer", "latecomer7", "Valentina", "Kowalczyk", "vk@example.org")
    made, files = hostile(late, 7)
    stored = read_cases(board.folder)
    run = store(board.folder, made, files).relative_to(board.folder).as_posix()
    write_cases(
        board.folder, (*stored.people, late),
        [*stored.cases, StoredCase(late.identifier, made.exercise_id, run)],
    )  # fmt: skip
    during = []

    def watched(*arguments: Any) -> Mask:
        during.append(len(board.cases))
        return Mask(*arguments)

    monkeypatch.setattr("grader.review.board.Mask", watched)
    board.refresh()
    assert (during, len(board.cases)) == ([5], 6)


def test_names_show_only_if_nothing_happened_meanwhile(boards: Callable[..., Board]) -> None:
    board, other = boards(), boards()
    browser = client(board)
    for case in board.cases.values():
        decide(browser, board, case, action="confirm")
    first = board.log.events()[0]
    taken = Draft(Kind.WITHDRAW, "rosa", first.case, first.exercise, first.category, refers=1)
    other.log.add(taken)
    assert browser.post("/unblind/imputation").status_code == 409


MUESSIG = PEOPLE[1]


@pytest.mark.parametrize(
    "text",
    [
        "MÜSSIG",
        "Müssig",
        "\uff2düßig",
        "M\u200bü\u200dß\u2060ig",
        "M\u00ad\u00fc\u00dfig",
        json.dumps("Müßig"),
        json.dumps("Müßig").upper(),
        "M&uuml;&szlig;ig",
        "M&#252;&#223;ig",
        "M&#xFC;&#xdf;ig",
        urllib.parse.quote("Müßig"),
        urllib.parse.quote("Müßig").lower(),
        "Müßig".encode().decode("latin-1"),
        "=?UTF-8?Q?M=C3=BC=C3=9Fig?=",
        "\U0001d5df\U0001d5f2\U0001d5f6\U0001d601\U0001d5fb\U0001d5f2\U0001d5ff",
        "Leitnér",
        "\u24c1\u24d4\u24d8\u24e3\u24dd\u24d4\u24e1",
        "\x1b[1mLeit\x1b[0mner",
        "\x1b[31mLi\x1b[0m",
        "Li%20Wu",
        "Li+Wu",
        "SIOBHAN O&#x27;CONNOR-SMYTHE",
        "siobha\u0301n.o'connor",
        "AnnabelleLeitner",
        "leitner-annabelle",
        "a.leitner%40wien.example",
    ],
)
def test_a_name_in_another_form_is_masked(text: str) -> None:
    mask = Mask(name for person in PEOPLE for name in names_of(person))
    left = mask(f"by {text} in 2026")
    assert "[name]" in left
    plain = unicodedata.normalize("NFKD", html.unescape(urllib.parse.unquote(left)))
    letters = re.sub(r"[^a-z]", "", plain.lower().replace("[name]", ""))
    parts = ("leit", "annabelle", "mssig", "muig", "mig", "siobhan", "connor", "smythe", "wu")
    assert [part for part in parts if part in letters] == []


@pytest.mark.parametrize("name", ["Am", "Na", "Ame", "Nam", "Amen"])
def test_who_is_called_like_a_part_of_the_mark_is_masked_once(name: str) -> None:
    mask = Mask([f"{name} Übermüller"])
    assert mask(f"{name}, ÜBERMÜLLER") == "[name], [name]"
    assert mask(mask(f"{name}, ÜBERMÜLLER")) == "[name], [name]"


def test_text_without_names_comes_back_as_it_was() -> None:
    mask = Mask(name for person in PEOPLE for name in names_of(person))
    text = "naïve \u200b \u2460 \uff46\uff55\uff4c\uff4c \u540d\u524d \x1b[31mred\x1b[0m e\u0301"
    assert mask(text) == text


# colleagues' opinions


def seen_by(browser: Client, case: Case) -> dict[str, str]:
    """The pages on which a colleague's decision could show."""
    paths = ("", "/history", "/feedback", "/checks")
    return {
        path: browser.get(path).text
        for path in (*(f"/case/{case.alias}{p}" for p in paths), "/", "/table", "/table?sort=score",
                     "/table?state=disputed", "/progress", "/agreement", "/events")
    }  # fmt: skip


def test_a_second_reviewers_pages_are_the_same_whatever_the_first_one_decided(
    tmp_path: Path,
) -> None:
    pages = []
    for action in ({"action": "confirm"}, {"level": 1, "reason": "a telling reason"}):
        folder = tmp_path / str(len(pages))
        fill(folder)
        (folder / "decisions.key").write_text("ab" * 32)
        board = Board(folder, None, opinions=2)
        rosa, tom, case = client(board, "rosa"), client(board, "tom"), case_of(board)
        decide(rosa, board, case, **action)
        rosa.post(f"/case/{case.alias}/note", {"text": f"a note on {action}", "seen": 1})
        decide(tom, board, case, category=FIRM, action="confirm")
        found = seen_by(tom, case)
        pages.append({p: re.sub(r"2026-\d\d-\d\d[ T][\d:.]+", "", t) for p, t in found.items()})
        board.close()
    assert [p for p in pages[0] if pages[0][p] != pages[1][p]] == []


def test_notes_of_colleagues_are_hidden_in_the_log_as_on_the_page(
    boards: Callable[..., Board],
) -> None:
    board = boards(opinions=2)
    case, tom = case_of(board), client(board, "tom")
    client(board).post(f"/case/{case.alias}/note", {"text": "a telling note", "seen": 0})
    assert [p for p, text in seen_by(tom, case).items() if "a telling note" in text] == []
    decide(tom, board, case, action="confirm")
    assert "a telling note" in tom.get("/events").text


def test_a_late_form_of_a_second_reviewer_is_no_conflict_and_shows_nothing(
    boards: Callable[..., Board],
) -> None:
    board = boards(opinions=2)
    case, tom = case_of(board), client(board, "tom")
    early = form(board, case, action="confirm")
    decide(client(board), board, case, level=1, reason="a telling reason")
    answer = tom.post(f"/case/{case.alias}/decide", early)
    assert answer.status_code == 200
    assert [event.by for event in board.log.events()] == ["rosa", "tom"]


def test_a_third_reviewer_is_not_told_that_two_differ(boards: Callable[..., Board]) -> None:
    board = boards(opinions=3)
    case = case_of(board)
    decide(client(board), board, case, level=1, reason="because")
    decide(client(board, "tom"), board, case, action="confirm")
    assert "disputed" not in re.sub(
        r"<select.*?</select>", "", client(board, "eve").get("/table").text, flags=re.DOTALL
    )


def test_a_stale_decision_that_is_hidden_cannot_be_taken_over(
    boards: Callable[..., Board],
) -> None:
    board = boards(opinions=2)
    decide(client(board), board, case_of(board), level=1, reason="a telling reason")
    regraded(board.folder, PEOPLE[0])
    (board.folder / "cases.json").touch()
    board.refresh()
    answer = decide(client(board, "tom"), board, case_of(board), action="again", refers=1)
    assert answer.status_code == 422
    assert board.log.last == 1
