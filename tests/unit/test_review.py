"""The app in which people decide: who gets in, what is shown, what a form does."""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader.collect.cases import read_cases
from grader.decisions.events import Kind
from grader.decisions.log import check_chain
from grader.errors import UsageError
from grader.review.guard import Origin
from grader.review.mask import Mask, names_of
from grader.review.sessions import HOURS, Sessions, invite
from grader.review.sessions import Person as Reviewer

sys.path.insert(0, str(Path(__file__).parent))
from review_board import (
    PEOPLE,
    URL,
    Client,
    boards_over,
    case_of,
    client,
    decide,
    form,
    regraded,
    store,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from grader.review.board import Board


ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def boards(tmp_path: Path) -> Iterator[Callable[..., Board]]:
    with boards_over(tmp_path) as made:
        yield made


@pytest.fixture
def board(boards: Callable[..., Board]) -> Board:
    return boards()


# who gets in


@pytest.mark.parametrize("path", ["/", "/table", "/events", "/case/bcdfghjkmn", "/agreement"])
def test_nobody_sees_a_page_without_a_link(board: Board, path: str) -> None:
    browser = client(board)
    browser.cookies.clear()
    assert browser.get(path).status_code == 401


def test_a_link_works_once(board: Board) -> None:
    browser = client(board)
    sessions = Sessions(board, "rosa")
    token = sessions.link(Reviewer("rosa"))
    assert sessions.enter(token) == Reviewer("rosa")
    assert sessions.enter(token) is None
    assert browser.get("/enter/guess").status_code == 403


def test_the_cookie_is_for_this_server_alone(board: Board) -> None:
    sessions = Sessions(board)
    browser = client(board)
    assert browser.cookies.get("review-8765") is not None
    from grader.review.app import make_app  # noqa: PLC0415 - beside its one use

    fresh = Client(make_app(board, origin=Origin(URL), sessions=sessions))
    answer = fresh.get(f"/enter/{sessions.link(Reviewer('rosa'))}", follow=False)
    said = answer.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=strict" in said
    assert answer.status_code == 200  # no redirect, with which a strict cookie would not be sent
    assert 'href="/"' in answer.text


@pytest.mark.parametrize("change", [lambda c: c[:-2] + "xx", lambda c: "e30." + c, lambda _: "a.b"])
def test_a_forged_cookie_is_nobodys(board: Board, change: Callable[[str], str]) -> None:
    sessions = Sessions(board)
    assert sessions.person(change(sessions.cookie(Reviewer("rosa")))) is None


def test_a_cookie_ends_and_outlives_a_restart(board: Board) -> None:
    cookie = Sessions(board, clock=lambda: 1000.0).cookie(Reviewer("rosa", organiser=True))
    again = Sessions(board, clock=lambda: 1000.0 + HOURS * 3600 - 1)
    assert again.person(cookie) == Reviewer("rosa", organiser=True)
    assert Sessions(board, clock=lambda: 1001.0 + HOURS * 3600).person(cookie) is None


def test_an_invitation_works_once_and_its_link_is_not_stored(board: Board) -> None:
    token = invite(board, "tom", "rosa")
    stored = b"".join(path.read_bytes() for path in board.folder.glob("decisions.sqlite*"))
    assert token.encode() not in stored
    assert Sessions(board).enter(token) is None
    assert Sessions(board).is_invitation(token)
    assert Sessions(board).join(token) == Reviewer("tom")
    assert Sessions(board).join(token) is None
    assert not Sessions(board).is_invitation(token)
    assert [event.kind for event in board.log.events()] == [Kind.INVITE, Kind.JOIN]


def test_a_proxys_header_counts_where_it_was_asked_for_only(board: Board) -> None:
    named = client(board, header="X-User")
    named.cookies.clear()
    assert named.get("/", headers={"x-user": "tom"}).status_code == 200
    assert named.get("/").status_code == 401
    assert named.get("/", headers=[("x-user", "tom"), ("x-user", "eve")]).status_code == 401
    plain = client(board)
    plain.cookies.clear()
    assert plain.get("/", headers={"x-user": "tom"}).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:1"])
def test_another_name_for_this_machine_is_refused(board: Board, host: str) -> None:
    assert client(board).get("/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {},
    ],
)
def test_a_form_of_another_page_is_refused(board: Board, headers: dict[str, str]) -> None:
    case = case_of(board)
    answer = client(board).post(
        f"/case/{case.alias}/decide", form(board, case, action="confirm"), headers=headers
    )
    assert answer.status_code == 403
    assert board.log.last == 0


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_only_pages_and_forms_are_served(board: Board, method: str) -> None:
    assert client(board).ask(method, "/").status_code == 405


def test_a_form_that_is_too_long_is_refused(board: Board) -> None:
    case = case_of(board)
    answer = decide(client(board), board, case, level=1, reason="x" * 70_000)
    assert answer.status_code == 413
    assert board.log.last == 0


@pytest.mark.parametrize("path", ["/", "/table", "/nothing", "/static/nothing", "/enter/x"])
def test_every_answer_forbids_what_it_does_not_need(board: Board, path: str) -> None:
    headers = client(board).get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


# what is shown


def addresses(browser: Client, *more: str) -> dict[str, str]:
    """Every address that can be reached from the queue, with its answer and its headers."""
    found: dict[str, str] = {}
    waiting = ["/", *more]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        answer = browser.get(path)
        assert answer.status_code == 200, path
        found[path] = f"{path}\n{dict(answer.headers)}\n{answer.text}"
        for link in re.findall(r'(?:href|src|action)="(/[^"#]*)', answer.text):
            address = html.unescape(link)
            if not re.search(r"/(decide|confirm|note|withdraw|unblind/\w+|compare)$", address):
                waiting.append(address)
        if path.startswith("/table"):
            chosen = re.findall(r'name="case" value="(\w+)"', answer.text)[:3]
            waiting.append("/compare?" + "&".join(f"case={alias}" for alias in chosen))
    return found


def roster_strings() -> list[str]:
    """All that the roster says of anybody, in every spelling in which they wrote it."""
    found: set[str] = set()
    for person in PEOPLE:
        parts = {person.identifier, person.username, person.first_name, person.last_name}
        parts |= {person.email, person.number, *re.split(r"[\W_]+", person.identifier)}
        for part in parts:
            found |= {part, unicodedata.normalize("NFD", part), part.upper()}
    return sorted(part for part in found if len(part) > 1)


def occurs(name: str, text: str) -> bool:
    """A longer name occurs anywhere, a short one as a word of the text or of an attribute."""
    if len(name) >= 4:
        return name.lower() in text.lower()
    words = re.sub(r"</?(?:li|ol|ul)\b", "", text)
    return re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", words) is not None


@pytest.mark.slow
def test_no_string_of_the_roster_is_found_while_names_are_hidden(board: Board) -> None:
    browser = client(board, root=ROOT)
    first = case_of(board)
    named = told(PEOPLE[0])
    sheet = browser.post("/interviews", {"card": "presentation", "who": PEOPLE[0].email})
    decide(browser, board, first, level=1, reason=f"I know {named}")
    browser.post(f"/case/{first.alias}/note", {"text": f"This is {named}", "seen": 1})
    found = addresses(browser, str(sheet.url).removeprefix(URL))
    assert len(found) > 60
    leaks = [
        (name, path)
        for path, text in found.items()
        for name in roster_strings()
        if occurs(name, html.unescape(text))
        and not (len(name) < 4 and path.startswith("/static/"))  # names of elements
    ]
    assert leaks == []


def test_a_page_of_an_error_names_nobody(board: Board) -> None:
    case = case_of(board)
    (case.folder / "submission.zip").unlink()
    answer = client(board).get(f"/case/{case.alias}/source")
    assert answer.status_code == 500
    assert not [name for name in roster_strings() if occurs(name, answer.text)]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("by Annabelle Leitner", "by [name]"),
        ("annabelle_leitner_v2.py", "[name]_v2.py"),
        ("class LeitnerImputer", "class [name]Imputer"),
        ("mail a.leitner@wien.example now", "mail [name] now"),
        ("Mu\u0308ßig and MUESSIG and muessig", "[name] and [name] and [name]"),
        ("Juergen, Jurgen", "[name], [name]"),
        ("Li is here; List is not, nor LIST", "[name] is here; List is not, nor LIST"),
        ("id 4711822", "id [name]"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_names_are_masked_in_every_spelling(text: str, masked: str) -> None:
    mask = Mask(name for person in PEOPLE for name in names_of(person))
    assert mask(text) == masked


def test_words_of_the_language_stay_whoever_is_called_so() -> None:
    mask = Mask(["Import Class", "solution", "An Do"])
    assert (
        mask("import an; class Do: pass  # solution") == "import an; class [name]: pass  # solution"
    )


def test_what_a_candidate_wrote_is_text_everywhere(board: Board) -> None:
    case = case_of(board)
    for path in ("", "/checks", "/check/3", "/source", "/notebook", "/feedback", "/history"):
        answer = client(board).get(f"/case/{case.alias}{path}").text
        assert "<wien" not in answer
        assert answer.count("<iframe") == (path == "/notebook")
        assert answer.count("<script") == 1


def test_each_reviewer_has_an_order_of_their_own(board: Board) -> None:
    orders = {
        tuple(re.findall(r'href="/case/(\w+)"', client(board, name).get("/").text))
        for name in ("ann", "ben", "cat", "dan")
    }
    assert len(orders) > 1


# what forms do


def test_a_confirmation_counts_and_leads_to_the_next(board: Board) -> None:
    browser, case = client(board), case_of(board)
    answer = decide(browser, board, case, action="confirm")
    assert answer.status_code == 200
    assert str(answer.url).startswith(f"{URL}/case/")
    assert case.alias not in str(answer.url)
    (event,) = board.log.events()
    assert (event.kind, event.by, event.level, event.case) == (Kind.CONFIRM, "rosa", 3, case.alias)
    assert board.needs(case) == ()


def test_another_level_needs_a_reason_and_keeps_what_was_written(board: Board) -> None:
    browser, case = client(board), case_of(board)
    answer = decide(browser, board, case, level=1)
    assert answer.status_code == 422
    assert "a reason is missing" in answer.text
    assert board.log.last == 0
    decide(browser, board, case, level=1, reason="no tests of their own")
    assert board.card(case).categories[2].level == 1


def test_reports_never_change(board: Board) -> None:
    browser, case = client(board), case_of(board)
    before = (case.folder / "report.json").read_bytes()
    decide(browser, board, case, level=1, reason="because")
    assert (case.folder / "report.json").read_bytes() == before


def test_the_second_of_two_sees_both_versions_and_chooses(board: Board) -> None:
    case = case_of(board)
    early = form(board, case, level=1, reason="mine")
    decide(client(board, "tom"), board, case, action="confirm")
    browser = client(board, "rosa")
    answer = browser.post(f"/case/{case.alias}/decide", early)
    assert answer.status_code == 409
    assert "tom changed Problem solving" in answer.text
    assert "mine" in answer.text
    assert board.log.last == 1
    decide(browser, board, case, level=1, reason="mine")
    assert [event.by for event in board.log.events()] == ["tom", "rosa"]


def test_a_form_that_is_sent_twice_is_one_decision(board: Board) -> None:
    browser, case = client(board), case_of(board)
    sent = form(board, case, action="confirm")
    for _ in range(2):
        assert browser.post(f"/case/{case.alias}/decide", sent).status_code == 200
    assert board.log.last == 1


def test_a_decision_is_withdrawn_by_who_made_it_only(board: Board) -> None:
    browser, case = client(board), case_of(board)
    decide(browser, board, case, action="confirm")
    taken = {"category": "problem_solving", "refers": 1}
    other = client(board, "tom").post(f"/case/{case.alias}/withdraw", taken)
    assert other.status_code == 422
    assert browser.post(f"/case/{case.alias}/withdraw", taken).status_code == 200
    assert [need.why for need in board.needs(case)] == ["provisional"]


def test_a_new_run_makes_a_decision_stale_and_one_press_makes_it_again(board: Board) -> None:
    browser, case = client(board), case_of(board)
    decide(browser, board, case, level=1, reason="because")
    regraded(board.folder, PEOPLE[0])
    (board.folder / "cases.json").touch()
    board.cases.clear()
    board.refresh()
    case = case_of(board)
    assert [need.why for need in board.needs(case)] == ["stale"]
    assert board.card(case).categories[2].level == 3
    assert "Decide so again" in browser.get(f"/case/{case.alias}").text
    decide(browser, board, case, action="again", refers=1)
    assert board.needs(case) == ()
    assert board.card(case).categories[2].level == 1
    assert board.log.events()[-1].text == "because"


def test_a_form_about_an_earlier_run_is_refused(board: Board) -> None:
    browser, case = client(board), case_of(board)
    answer = decide(browser, board, case, action="confirm", run="0" * 64)
    assert answer.status_code == 422
    assert "scored again since you opened" in answer.text
    assert board.log.last == 0


def test_all_that_waits_is_confirmed_at_once(board: Board) -> None:
    browser, case = client(board), case_of(board)
    sent = {"seen": 0, "run": case.run, "scoring": case.scoring}
    assert browser.post(f"/case/{case.alias}/confirm", sent).status_code == 200
    assert board.needs(case) == ()


def test_a_second_opinion_is_independent_and_a_difference_is_to_be_settled(
    boards: Callable[..., Board],
) -> None:
    board = boards(opinions=2)
    case = case_of(board)
    rosa, tom = client(board, "rosa"), client(board, "tom")
    decide(rosa, board, case, level=1, reason="a telling reason")
    for path in (f"/case/{case.alias}", f"/case/{case.alias}/history", "/events", "/table"):
        page = tom.get(path).text
        assert "a telling reason" not in page
    assert board.card(case, "tom").categories[2].level == 3
    assert [need.why for need in board.needs(case, "tom")] == ["second opinion"]
    assert board.needs(case, "rosa") == ()
    decide(tom, board, case, action="confirm")
    assert "a telling reason" in tom.get(f"/case/{case.alias}").text
    assert [need.why for need in board.needs(case, "rosa")] == ["disputed"]
    decide(rosa, board, case, action="settle", level=2, reason="we talked")
    assert board.needs(case) == ()
    assert board.card(case).categories[2].level == 2


def test_names_show_once_all_decisions_are_in(board: Board) -> None:
    browser = client(board)
    assert browser.post("/unblind/imputation").status_code == 409
    for case in board.cases.values():
        decide(browser, board, case, action="confirm")
    assert client(board, "tom", organiser=False).post("/unblind/imputation").status_code == 403
    assert browser.post("/unblind/imputation").status_code == 200
    case = case_of(board)
    assert "Annabelle Leitner" in browser.get("/table").text
    assert "by Annabelle Leitner" in browser.get(f"/case/{case.alias}/source/4").text
    assert board.log.events()[-1].kind is Kind.UNBLIND


def test_a_note_is_for_colleagues_and_can_be_taken_back(board: Board) -> None:
    browser, case = client(board), case_of(board)
    browser.post(f"/case/{case.alias}/note", {"text": "ask about the loop", "seen": 0})
    assert "ask about the loop" in client(board, "tom").get(f"/case/{case.alias}").text
    browser.post(f"/case/{case.alias}/withdraw", {"refers": 1})
    assert "ask about the loop" not in client(board, "tom").get(f"/case/{case.alias}").text
    assert check_chain(board.log) == []


def test_thirty_submissions_are_decided_without_leaving_the_keyboards_path(board: Board) -> None:
    browser = client(board)
    case = board.queue("rosa")[0]
    for _ in range(len(board.cases)):
        answer = decide(browser, board, case, action="confirm")
        if found := re.search(r"/case/(\w+)", str(answer.url)):
            case = board.case(found[1])
    assert str(answer.url) == f"{URL}/?done=all"
    assert not board.open_cases("imputation")


@pytest.mark.parametrize(
    "path",
    ["/case/nobody", "/case/{a}/check/99", "/case/{a}/source/99", "/compare", "/compare?case={a}"],
)
def test_what_is_not_there_is_said_on_a_page(board: Board, path: str) -> None:
    answer = client(board).get(path.format(a=case_of(board).alias))
    assert answer.status_code in {400, 404}
    assert "This cannot be done" in answer.text


def test_a_folder_that_grade_filled_has_a_case_for_each_submission(tmp_path: Path) -> None:
    from review_board import hostile  # noqa: PLC0415 - beside its one use

    for number in range(2):
        store(tmp_path, *hostile(PEOPLE[number], number))
    (tmp_path / "runs").rename(tmp_path / "results")
    found = read_cases(tmp_path / "results")
    assert [case.who for case in found.cases] == ["annabelle.leitner", "j_rgen.m__ig"]


def test_a_folder_of_an_earlier_version_is_told_how_to_get_a_list_of_cases(tmp_path: Path) -> None:
    (tmp_path / "collected.csv").touch()
    with pytest.raises(UsageError, match="run grade collect again"):
        read_cases(tmp_path)
