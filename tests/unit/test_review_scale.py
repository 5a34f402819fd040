"""1,000 submissions: every page is small, and takes a fifth of a second at most."""

from __future__ import annotations

import dataclasses
import re
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader.collect.cases import StoredCase
from grader.collect.roster import Person
from grader.decisions.events import Draft, Kind
from grader.review.board import Board

sys.path.insert(0, str(Path(__file__).parent))
from review_board import PEOPLE, client, hostile, store, write_cases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from review_board import Client

MOST_BYTES, MOST_SECONDS = 300_000, 0.2


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("thousand")
    made, files = hostile(PEOPLE[0], 0)
    run = store(folder, made, files).relative_to(folder).as_posix()
    people = tuple(
        Person(f"given{n:04d}.family{n:04d}", f"user{n:04d}", f"Given{n:04d}", f"Family{n:04d}")
        for n in range(1000)
    )
    cases = [StoredCase(p.identifier, made.exercise_id, run) for p in people]
    write_cases(folder, people, cases)
    board = Board(folder, None)
    base = Draft(Kind.CONFIRM, "", "", "imputation", "problem_solving", 3, 3)
    board.log.add_all(
        [
            dataclasses.replace(base, by=by, case=c.alias, run=c.run, scoring=c.scoring)
            for by in ("ann", "ben")
            for c in list(board.cases.values())[:500]
        ]
    )
    board.refresh()
    yield client(board)
    board.close()


@pytest.mark.slow
def test_every_page_is_small_and_quick_with_a_thousand_submissions(browser: Client) -> None:
    found = re.findall(r'name="case" value="(\w+)"', browser.get("/table").text)
    case = f"/case/{found[0]}"
    compared = "&".join(f"case={alias}" for alias in found[:3])
    pages = (
        "/", "/table", "/table?sort=score&down=1&page=10", "/progress", "/agreement", "/events",
        f"/compare?{compared}", case, f"{case}/checks", f"{case}/source", f"{case}/notebook",
        f"{case}/feedback", f"{case}/history",
    )  # fmt: skip
    found_slow, found_large = {}, {}
    for page in pages:
        spent = []
        for _ in range(3):
            before = time.process_time()
            answer = browser.get(page)
            spent.append(time.process_time() - before)
            assert answer.status_code == 200
        if statistics.median(spent) > MOST_SECONDS:
            found_slow[page] = spent
        if len(answer.content) > MOST_BYTES:
            found_large[page] = len(answer.content)
    assert (found_slow, found_large) == ({}, {})
