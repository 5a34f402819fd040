"""Stages that people score: forms found by a name that is never shown, and all stages together."""

from __future__ import annotations

import dataclasses
import html
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader.collect.roster import Person
from grader.decisions.events import Draft, Kind
from grader.errors import UsageError
from grader.review.board import Board
from grader.review.stages import Sheet, Stages
from grader.scorecard.read import load_scorecards

sys.path.insert(0, str(Path(__file__).parent))
from review_board import PEOPLE, URL, client, fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from review_board import Client

ROOT = Path(__file__).resolve().parents[2]
CARD = load_scorecards(ROOT)["system_design"]


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    made = Board(fill(tmp_path), None)
    yield made
    made.close()


def opened(board: Board, name: str = "rosa") -> tuple[Client, str]:
    """A reviewer at the form of the first candidate, and its address."""
    browser = client(board, name, root=ROOT)
    answer = browser.post("/interviews", {"card": CARD.id, "who": PEOPLE[0].email.upper()})
    assert answer.status_code == 200
    return browser, str(answer.url).removeprefix(URL)


def sheet_of(address: str) -> Sheet:
    alias = address.rpartition("/")[2]
    return Sheet(CARD, alias, PEOPLE[0].identifier)


def filled(level: int = 3, **fields: object) -> dict[str, object]:
    """All levels of a form, with a reason each."""
    levels: dict[str, object] = {f"level-{c.id}": level for c in CARD.categories}
    return {"digest": CARD.digest, **levels, **{c.id: "as said" for c in CARD.categories}, **fields}


def test_a_form_is_found_by_a_name_that_it_does_not_show(board: Board) -> None:
    browser, address = opened(board)
    page = browser.get(address).text
    assert re.fullmatch(r"/interview/system_design/[a-z0-9]{10}", address)
    assert "Leitner" not in page
    assert all(anchor in page for anchor in CARD.categories[0].anchors.values())


def test_a_stage_and_an_exercise_have_different_pseudonyms(board: Board) -> None:
    _, address = opened(board)
    assert address.rpartition("/")[2] not in board.cases


def test_somebody_whom_the_roster_lacks_has_no_form(board: Board) -> None:
    answer = client(board, root=ROOT).post("/interviews", {"card": CARD.id, "who": "Nobody Atall"})
    assert answer.status_code == 404
    assert "Atall" not in answer.text


def test_levels_points_and_indicators_become_events_and_come_back(board: Board) -> None:
    browser, address = opened(board)
    seen = ["tickets/latency", "failure_first", "not/known"]
    browser.post(address, {**filled(), "seen-here": seen})
    events = board.log.events()
    assert [e.kind for e in events] == [*[Kind.SCORE] * len(CARD.categories), Kind.OBSERVE]
    assert events[-1].data == ("failure_first", "tickets/latency")
    page = browser.get(address).text
    assert re.search(r'value="tickets/latency" checked', page)
    assert page.count('type="radio"') == 16
    assert len(re.findall(r'type="radio"[^>]* checked', page)) == 4
    assert "3.00" in page


def test_a_form_that_is_sent_again_adds_what_changed_only(board: Board) -> None:
    browser, address = opened(board)
    browser.post(address, filled())
    before = board.log.last
    browser.post(address, filled())
    assert board.log.last == before
    browser.post(address, filled(**{"level-architecture": 4, "seen": before}))
    assert board.log.last == before + 1


def test_a_colleagues_level_shows_once_an_own_one_is_in(board: Board) -> None:
    rosa, address = opened(board)
    rosa.post(address, filled(architecture="a telling reason"))
    tom, _ = opened(board, "tom")
    assert "a telling reason" not in tom.get(address).text
    tom.post(address, filled(level=1))
    assert "a telling reason" in tom.get(address).text
    assert "Reviewers differ" in tom.get(address).text


def test_levels_on_another_version_of_a_card_are_stale(board: Board) -> None:
    browser, address = opened(board)
    answer = browser.post(address, filled(digest="0" * 64))
    assert answer.status_code == 422
    assert board.log.last == 0


def test_all_stages_show_together_once_names_do(board: Board) -> None:
    browser, address = opened(board)
    browser.post(address, filled())
    case = next(c for c in board.cases.values() if c.stored.who == PEOPLE[0].identifier)
    whole = board.names.case("candidate", PEOPLE[0].identifier)
    assert browser.get(f"/candidate/{whole}").status_code == 403
    for other in board.cases.values():
        sent = {"seen": board.log.last, "run": other.run, "scoring": other.scoring}
        browser.post(f"/case/{other.alias}/confirm", sent)
    browser.post("/unblind/imputation")
    assert f"/candidate/{whole}" in browser.get(f"/case/{case.alias}").text
    page = browser.get(f"/candidate/{whole}").text
    assert "Annabelle Leitner" in page
    assert "Missing values" in page
    assert "3.00 of 4" in page
    assert "nobody has defined weights" in page


def posted_late(board: Board) -> tuple[int, httpx.Response, Client, str]:
    """A form is sent from two windows: what both had seen, the second answer, and where."""
    browser, address = opened(board)
    browser.post(address, filled(2))
    early = board.log.last
    browser.post(
        address, filled(2, **{"level-architecture": 3, "architecture": "first"}, seen=early)
    )
    late = filled(2, **{"level-architecture": 1, "architecture": "second"}, seen=early)
    fields = {**late, "level-observability": 4, "seen-here": ["tickets/latency"]}
    return early, browser.post(address, fields), browser, address


def test_a_form_that_was_changed_in_another_window_shows_both_versions(board: Board) -> None:
    early, answer, _, _ = posted_late(board)
    assert answer.status_code == 409
    assert "You, in another window</strong>: Strong" in answer.text
    assert "You, now</strong>: Poor" in answer.text
    assert ("first" in answer.text, "second" in answer.text) == (True, True)
    assert board.log.last == early + 1


def chosen(page: str, **choices: str) -> dict[str, list[str]]:
    """What the form of a conflict sends."""
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page):
        fields.setdefault(name, []).append(html.unescape(value))
    return fields | {f"take-{name}": [choice] for name, choice in choices.items()}


@pytest.mark.parametrize(
    ("choice", "level", "reason"), [("stored", 3, "first"), ("mine", 1, "second")]
)
def test_who_sees_both_versions_chooses_and_loses_nothing_else(
    board: Board, choice: str, level: int, reason: str
) -> None:
    _, answer, browser, address = posted_late(board)
    page = answer.text
    assert browser.post(address, chosen(page, architecture=choice)).status_code == 200
    sheet = sheet_of(address)
    stored = Stages(board, {CARD.id: CARD}).standings(sheet)
    now = {c: (e.level, e.text) for c, s in stored.items() if (e := s.opinions["rosa"])}
    assert now["architecture"] == (level, reason)
    assert now["observability"] == (4, "as said")
    assert board.log.events()[-1].data == ("tickets/latency",)


def test_a_colleagues_change_since_the_form_was_opened_is_a_conflict(board: Board) -> None:
    rosa, address = opened(board)
    tom, _ = opened(board, "tom")
    rosa.post(address, filled(2))
    tom.post(address, filled(2))
    early = board.log.last
    tom.post(
        address,
        filled(2, **{"level-observability": 4, "observability": "I was wrong", "seen": early}),
    )
    answer = rosa.post(address, filled(2, **{"level-observability": 1, "seen": early}))
    assert answer.status_code == 409
    assert "tom</strong>" in answer.text
    assert "I was wrong" in answer.text


def test_a_first_opinion_is_no_conflict_with_a_colleagues(board: Board) -> None:
    rosa, address = opened(board)
    tom, _ = opened(board, "tom")
    rosa.post(address, filled(2, architecture="a telling reason"))
    answer = tom.post(address, filled(4, seen=0))
    assert answer.status_code == 200
    assert len(board.log.events()) == 8


def test_what_another_window_changed_and_this_one_did_not_stays(board: Board) -> None:
    browser, address = opened(board)
    browser.post(address, filled(2, **{"seen-here": ["tickets/latency"]}))
    early = board.log.last
    ticks = ["tickets/latency", "failure_first"]
    browser.post(
        address, filled(2, **{"level-observability": 4, "seen-here": ticks, "seen": early})
    )
    late = filled(2, **{"level-architecture": 1, "seen-here": [], "seen": early})
    assert browser.post(address, late).status_code == 200
    stages, sheet = Stages(board, {CARD.id: CARD}), sheet_of(address)
    levels = {c: s.opinions["rosa"].level for c, s in stages.standings(sheet).items()}
    assert (levels["observability"], levels["architecture"]) == (4, 1)
    assert stages.observed(sheet, "rosa") == {"failure_first"}


def test_a_form_that_cannot_be_stored_comes_back_with_what_was_entered(board: Board) -> None:
    browser, address = opened(board)
    late = filled(4, architecture="much to say", digest="0" * 64, **{"seen-here": "failure_first"})
    answer = browser.post(address, late)
    assert answer.status_code == 422
    assert "much to say" in answer.text
    assert len(re.findall(r'type="radio"[^>]* checked', answer.text)) == len(CARD.categories)
    assert re.search(r'value="failure_first" checked', answer.text)


def test_the_list_of_forms_says_who_scored_which_card(board: Board) -> None:
    browser, address = opened(board)
    browser.post(address, {**filled(), "level-observability": ""})
    page = browser.get("/interviews").text
    assert re.search(rf'href="{address}">[a-z0-9]+</a></th><td>{CARD.title}</td><td>rosa', page)
    assert f"{len(CARD.categories) - 1} of {len(CARD.categories)}" in page
    assert "levels are missing" in page
    assert "waits for you</span>" in page
    assert "Leitner" not in page
    browser.post(address, filled(seen=board.log.last))
    assert "complete</td>" in browser.get("/interviews").text
    assert re.search(r"<td>rosa 1</td>", browser.get("/progress").text)


def test_a_second_opinion_is_asked_for_on_a_scorecard_too(tmp_path: Path) -> None:
    board = Board(fill(tmp_path), None, opinions=2)
    rosa, address = opened(board)
    rosa.post(address, filled(2))
    assert "waits for you</span>" not in rosa.get("/interviews").text
    tom, _ = opened(board, "tom")
    assert "a second opinion is asked for" in tom.get("/interviews").text
    assert "waits for you</span>" in tom.get("/interviews").text
    tom.post(address, filled(4))
    assert "reviewers differ" in tom.get("/interviews").text
    board.close()


def test_levels_of_a_scorecard_are_hidden_beside_all_stages_before_a_second_opinion(
    tmp_path: Path,
) -> None:
    board = Board(fill(tmp_path), None, opinions=2)
    rosa, address = opened(board)
    rosa.post(address, {**filled(4), "seen-here": ["failure_first"]})
    board.log.add(Draft(Kind.UNBLIND, "rosa", exercise="imputation"))
    whole = f"/candidate/{board.names.case('candidate', PEOPLE[0].identifier)}"
    eve = client(board, "eve", root=ROOT)
    assert "Not shown before your own level or a second opinion is in" in eve.get(whole).text
    assert CARD.positive["failure_first"] not in eve.get(whole).text
    assert "4.00 of 4" not in eve.get(whole).text
    assert "4.00 of 4" in rosa.get(whole).text
    tom, _ = opened(board, "tom")
    tom.post(address, filled(4))
    assert "4.00 of 4" in eve.get(whole).text
    board.close()


def scored(board: Board, levels: dict[str, tuple[int, ...]]) -> None:
    """Levels of reviewers on the architecture of as many candidates."""
    people = list(board.people)
    for by, given in levels.items():
        board.log.add_all(
            [
                Draft(
                    Kind.SCORE, by, board.names.case(f"scorecard/{CARD.id}", who),
                    f"scorecard/{CARD.id}", "architecture", level, run=CARD.digest,
                    scoring=CARD.digest,
                )
                for who, level in zip(people, given, strict=True)
            ]
        )  # fmt: skip
    board.refresh()


@pytest.mark.parametrize(("count", "exact"), [(9, None), (10, 0.9)])
def test_agreement_on_a_scorecard_is_said_from_ten_pairs_on(
    tmp_path: Path, count: int, exact: float | None
) -> None:
    people = tuple(Person(f"p{n}", f"user{n}", f"Given{n}", f"Family{n}") for n in range(count))
    board = Board(fill(tmp_path), None)
    board.people = {person.identifier: person for person in people}
    levels = tuple(n % 4 + 1 for n in range(count))
    scored(board, {"ann": levels, "bob": (levels[0] + 1, *levels[1:])})
    stages = Stages(board, {CARD.id: CARD})
    ((title, rows),) = stages.agreement("eve")
    found = next(row for row in rows if row.category == "architecture").reviewers
    assert (title, found.pairs) == (CARD.title, count)
    assert (found.exact and found.exact.value) == exact
    board.close()


def test_agreement_counts_what_the_reader_may_see(tmp_path: Path) -> None:
    board = Board(fill(tmp_path), None, opinions=3)
    scored(board, {"ann": (1, 2, 3, 4, 1), "bob": (1, 2, 3, 4, 1)})
    stages = Stages(board, {CARD.id: CARD})
    assert [len(list(stages.agreement(name))) for name in ("ann", "eve")] == [1, 0]
    board.close()


def test_a_card_may_have_six_levels_and_an_exercise_four() -> None:
    made = Draft(
        Kind.SCORE, "ann", "bcdfghjkmn", "scorecard/six", "architecture", 6, run="1", scoring="1"
    )
    made.check()
    with pytest.raises(UsageError, match="from 1 to 6"):
        dataclasses.replace(made, level=7).check()
    with pytest.raises(UsageError, match="from 1 to 4"):
        dataclasses.replace(made, exercise="imputation").check()
