"""Decisions: a log that only grows, a chain that finds what was altered, and what follows."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader.decisions.events import Conflict, Draft, Kind
from grader.decisions.final import final_card
from grader.decisions.fold import fold, standing
from grader.decisions.log import FILE, Log, check_chain, export
from grader.decisions.names import KEY_FILE, open_names
from grader.decisions.place import network_file_system
from grader.errors import PlatformError, UsageError
from grader.models import Band, Level

sys.path.insert(0, str(Path(__file__).parent))
from decided import RUN, SCORING, confirmation, draft
from sample_report import EXPECTATION, RUBRIC, report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.decisions.events import Event

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = {c.id: c.weight for c in RUBRIC.categories}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log(tmp_path) as opened:
        yield opened


def raw(log: Log, statement: str) -> None:
    """Somebody who opens the file without this program."""
    with sqlite3.connect(log.path) as other:
        other.execute(statement)
    other.close()


def without_triggers(log: Log) -> None:
    for name in ("events_stay", "events_are_kept", "texts_stay", "texts_go_with_their_case"):
        raw(log, f"DROP TRIGGER {name}")


def test_an_event_comes_back_as_it_was_added(log: Log) -> None:
    added = log.add(draft(data=("point-1",)))
    assert log.events() == [added]
    assert (added.seq, added.level, added.text, added.data) == (
        1, 3, "the names are good", ("point-1",),
    )  # fmt: skip


def test_a_log_is_read_on_from_a_number(log: Log) -> None:
    for level in (1, 2, 3):
        log.add(draft(level=level))
    assert [event.level for event in log.events(after=1)] == [2, 3]


def test_a_log_is_the_same_after_it_was_closed(tmp_path: Path) -> None:
    with Log(tmp_path) as first:
        added = first.add(draft())
    with Log(tmp_path) as second:
        assert second.events() == [added]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET body = '{}'",
        "DELETE FROM events",
        "INSERT INTO events VALUES (7, '{}', '')",
        "UPDATE texts SET body = 'other'",
        "DELETE FROM texts",
        "INSERT OR REPLACE INTO events VALUES (1, '{}', '')",
    ],
)
def test_the_file_refuses_to_be_changed(log: Log, statement: str) -> None:
    log.add(draft())
    with pytest.raises(sqlite3.IntegrityError):
        raw(log, statement)
    assert check_chain(log) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE events SET body = replace(body, '\"level\":3', '\"level\":4') WHERE seq = 2",
         "event 2 is not as it was written, or the one before it is not"),
        ("DELETE FROM events WHERE seq = 2", "event 2 is missing"),
        ("UPDATE texts SET body = 'other' WHERE seq = 1",
         "the text of event 1 is not as it was written"),
        ("DELETE FROM texts WHERE seq = 1", "the text of event 1 is gone without a purge"),
    ],
)  # fmt: skip
def test_the_chain_finds_what_was_altered(log: Log, statement: str, said: str) -> None:
    for _ in range(3):
        log.add(draft())
    without_triggers(log)
    raw(log, statement)
    assert check_chain(log)[0] == said


def test_two_exports_are_the_same_bytes(log: Log, tmp_path: Path) -> None:
    log.add(draft(text="ü\n"))
    log.add(confirmation(by="bob"))
    with Log(tmp_path) as other:
        assert export(log) == export(other) == export(log)
    assert [json.loads(line)["seq"] for line in export(log).splitlines()] == [1, 2]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (draft(level=5), "a level from 1 to 4"),
        (draft(text="  "), "a reason is missing"),
        (draft(by=" "), "the name of the person"),
        (draft(run=""), "the digests it is about"),
        (confirmation(level=3), "overrule it instead"),
        (draft(text="\ud800"), "characters that are no text"),
        (Draft(Kind.WITHDRAW, "ann", "bcdfghjkmn"), "names the event that it takes back"),
    ],
)
def test_an_incomplete_decision_is_refused(log: Log, bad: Draft, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        log.add(bad)
    assert log.last == 0


def test_the_second_of_two_people_sees_what_the_first_decided(log: Log) -> None:
    first = log.add(draft(), seen=0)
    with pytest.raises(Conflict) as conflict:
        log.add(draft(by="bob", level=1), seen=0)
    assert conflict.value.event == first
    assert log.add(draft(by="bob", level=1), seen=first.seq).seq == 2


def test_other_categories_and_other_cases_are_no_conflict(log: Log) -> None:
    log.add(draft(), seen=0)
    assert log.add(draft(by="bob", category="problem_solving"), seen=0).seq == 2
    assert log.add(draft(by="bob", case="zzzzzzzzzz"), seen=0).seq == 3


def test_a_post_that_is_sent_twice_is_one_event(log: Log) -> None:
    first = log.add(draft(), seen=0)
    assert log.add(draft(), seen=0) == first
    assert log.last == 1


def test_several_events_are_added_all_or_none(log: Log) -> None:
    log.add(draft(category="b"), seen=0)
    with pytest.raises(Conflict):
        log.add_all([draft(by="bob", category="a"), draft(by="bob", category="b")], seen=0)
    assert log.last == 1


def test_only_its_author_withdraws_a_decision(log: Log) -> None:
    log.add(draft())
    with pytest.raises(UsageError, match="ann's, who alone can withdraw it"):
        log.add(Draft(Kind.WITHDRAW, "bob", "bcdfghjkmn", category="code_clarity", refers=1))


def test_threads_lose_nothing_and_keep_one_order(log: Log) -> None:
    def work(by: str) -> None:
        for _ in range(10):
            log.add(draft(by=by))

    threads = [threading.Thread(target=work, args=(f"reviewer {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.seq for event in log.events()] == list(range(1, 41))
    assert check_chain(log) == []


def test_a_purge_deletes_texts_of_its_case_only_and_the_chain_still_checks(log: Log) -> None:
    log.add(draft(text="a secret reason"))
    log.add(draft(case="zzzzzzzzzz", text="another"))
    gone = log.forget(Draft(Kind.PURGE, "ann", "bcdfghjkmn", "imputation"))
    assert gone == 1
    assert [event.text for event in log.events()] == [None, "another", ""]
    assert [event.level for event in log.events()] == [3, 3, None]
    assert check_chain(log) == []
    stored = b"".join(path.read_bytes() for path in log.path.parent.glob(f"{FILE}*"))
    assert b"a secret reason" not in stored


def test_a_file_of_another_version_is_refused(log: Log, tmp_path: Path) -> None:
    raw(log, "PRAGMA user_version = 9")
    with pytest.raises(UsageError, match="format 9"):
        Log(tmp_path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all, whatever its name says" * 9)
    with pytest.raises(PlatformError, match="cannot be opened"):
        Log(tmp_path)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("40 1 0:4 / {place} rw - nfs4 server:/x rw", "nfs4"),
        ("40 1 0:4 / {place} rw shared:1 - fuse.sshfs me@host:/ rw", "fuse.sshfs"),
        ("40 1 0:4 / {place} rw - cifs //server/x rw", "cifs"),
        ("40 1 0:4 / {place} rw - ext4 /dev/sda1 rw", ""),
        ("40 1 0:4 / {place}/elsewhere rw - nfs4 server:/x rw", ""),
        ("40 1 0:4 / / rw - nfs server:/ rw\n41 40 0:5 / {place} rw - tmpfs tmpfs rw", ""),
    ],
)
def test_a_network_file_system_is_told_from_a_local_one(
    tmp_path: Path, line: str, kind: str
) -> None:
    folder = tmp_path / "with space"
    folder.mkdir()
    mounts = tmp_path / "mountinfo"
    mounts.write_text(line.format(place=str(folder).replace(" ", "\\040")) + "\n")
    assert network_file_system(folder / "collected", mounts) == kind


def test_a_log_on_a_network_file_system_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.decisions.log.network_file_system", lambda _: "nfs4")
    with pytest.raises(UsageError, match=r"network file system \(nfs4\)"):
        Log(tmp_path)


def test_a_pseudonym_depends_on_exercise_person_and_key(tmp_path: Path) -> None:
    names = open_names(tmp_path)
    (tmp_path / "x").mkdir()
    other = open_names(tmp_path / "x")
    made = {
        names.case("imputation", "ann"),
        names.case("imputation", "bob"),
        names.case("leakage_debug", "ann"),
        other.case("imputation", "ann"),
    }
    assert len(made) == 4
    assert open_names(tmp_path).case("imputation", "ann") == names.case("imputation", "ann")
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o077 == 0


def test_reviewers_see_cases_in_orders_of_their_own(tmp_path: Path) -> None:
    names, cases = open_names(tmp_path), [str(n) for n in range(20)]
    ann, bob = names.ordered("ann", cases), names.ordered("bob", cases)
    assert ann != bob
    assert sorted(ann) == sorted(bob) == sorted(cases)
    assert names.ordered("ann", reversed(cases)) == ann


def event(seq: int, **changes: object) -> Event:
    from grader.decisions.events import Event  # noqa: PLC0415 - the one place that builds one

    made = draft()
    values = {
        name: getattr(made, name)
        for name in (
            "kind", "by", "case", "exercise", "category", "level", "machine", "run", "scoring",
            "refers", "data", "text",
        )
    }  # fmt: skip
    return Event(seq=seq, at="2026-01-01T00:00:00+00:00", text_digest="", **{**values, **changes})  # type: ignore[arg-type]


def test_the_last_valid_decision_counts() -> None:
    found = standing([event(1, level=1), event(2, by="bob", level=4)], RUN, SCORING)
    assert found.final is not None
    assert (found.final.seq, found.disputed) == (2, True)


def test_a_decision_on_another_run_or_rubric_is_stale_and_does_not_count() -> None:
    old = [event(1, run="9" * 64), event(2, scoring="9" * 64)]
    found = standing(old, RUN, SCORING)
    assert found.final is None
    assert found.stale == tuple(old)
    assert found.needs_renewal


def test_a_decision_made_again_counts_beside_its_stale_one() -> None:
    found = standing([event(1, run="9" * 64), event(2)], RUN, SCORING)
    assert found.final is not None
    assert (found.final.seq, [e.seq for e in found.stale], found.needs_renewal) == (2, [1], False)


def test_an_adjudication_settles_a_difference() -> None:
    differing = [event(1, level=1), event(2, by="bob", level=4)]
    settled = [*differing, event(3, kind=Kind.ADJUDICATE, by="eve", level=3)]
    assert standing(differing, RUN, SCORING).disputed
    assert not standing(settled, RUN, SCORING).disputed
    later = [*settled, event(4, by="bob", level=4)]
    assert standing(later, RUN, SCORING).disputed


def test_reviewers_who_agree_leave_nothing_to_settle() -> None:
    assert not standing([event(1), event(2, by="bob")], RUN, SCORING).disputed


def test_after_a_withdrawal_the_decision_before_counts() -> None:
    state = fold(
        [
            event(1, level=1),
            event(2, level=4),
            event(3, kind=Kind.WITHDRAW, level=None, refers=2),
        ]
    )
    left = state.of("bcdfghjkmn")["code_clarity"]
    assert [e.seq for e in left] == [1]
    assert len(state.history["bcdfghjkmn"]) == 3


def card(*events: Event, weights: dict[str, float] | None = None) -> object:
    made = report()
    decisions: dict[str, list[Event]] = {}
    for item in events:
        decisions.setdefault(item.category, []).append(item)
    return final_card(
        made.scorecard, decisions, made.evidence, EXPECTATION,
        run=RUN, scoring=SCORING, weights=weights,
    )  # fmt: skip


def test_without_a_decision_the_machines_scorecard_stays_as_it_is() -> None:
    assert card(weights=WEIGHTS) == report().scorecard


def test_score_and_band_follow_from_the_levels_that_count() -> None:
    made = card(event(1, category="code_correctness", level=4), weights=WEIGHTS)
    machine = report().scorecard
    first = made.categories[0]  # type: ignore[attr-defined]
    assert (first.level, first.machine_level) == (Level.EXCELLENT, machine.categories[0].level)
    # 0.9 of weight at Excellent, and the provisional tenth at Strong
    assert made.overall == pytest.approx(3.9)  # type: ignore[attr-defined]
    assert made.band is Band.EXCEEDS  # type: ignore[attr-defined]


def test_a_confirmed_category_is_firm_and_has_its_whole_weight() -> None:
    solving = event(1, kind=Kind.CONFIRM, category="problem_solving", level=3, machine=3)
    heavy = {**WEIGHTS, "problem_solving": 0.6}
    found = card(solving, weights=heavy).categories[2]  # type: ignore[attr-defined]
    assert (found.provisional, found.level) == (False, Level.STRONG)
    assert found.weight == pytest.approx(0.5)


def test_a_reviewer_may_lift_a_provisional_category_to_excellent() -> None:
    solving = event(1, category="problem_solving", level=4, machine=3)
    found = card(solving, weights=WEIGHTS).categories[2]  # type: ignore[attr-defined]
    assert (found.level, found.decision.how) == (Level.EXCELLENT, "overruled")


def test_a_person_can_score_what_the_machine_cannot_assess() -> None:
    scored = event(1, kind=Kind.SCORE, category="code_clarity", level=2, machine=None)
    made = card(scored, weights=WEIGHTS)
    found = made.categories[1]  # type: ignore[attr-defined]
    assert (found.assessed, found.level, found.machine_level) == (True, Level.OKAY, None)
    assert sum(c.weight for c in made.categories) == pytest.approx(1.0)  # type: ignore[attr-defined]


def test_a_stale_decision_is_shown_and_changes_no_score() -> None:
    made = card(event(1, category="code_correctness", level=4, run="9" * 64), weights=WEIGHTS)
    machine = report().scorecard
    first = made.categories[0]  # type: ignore[attr-defined]
    assert (made.overall, made.band) == (machine.overall, machine.band)  # type: ignore[attr-defined]
    assert dataclasses.replace(first, decision=None) == machine.categories[0]
    assert not first.decision.counts


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from decided import draft
from grader.decisions.log import Log
log = Log(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(100_000):
    print(log.add(draft(text=f"reason {{number}}")).seq, flush=True)
"""


def acknowledged_before_the_kill(folder: Path, seconds: float) -> int:
    """Kill a writer at some moment; the number of the last event that it had acknowledged."""
    source = WRITER.format(tests=str(Path(__file__).parent))
    command = [sys.executable, "-c", source, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        threading.Timer(seconds, os.kill, (writer.pid, signal.SIGKILL)).start()
        said = writer.stdout.read().split("\n")
    return max((int(line) for line in said[:-1]), default=0)


@pytest.mark.parametrize("attempt", range(int(os.environ.get("GRADER_KILLS", "3"))))
def test_a_killed_process_loses_no_acknowledged_decision(tmp_path: Path, attempt: int) -> None:
    moment = random.Random(attempt).uniform(0.0, 0.15)
    last = acknowledged_before_the_kill(tmp_path, moment)
    with Log(tmp_path) as log:
        assert log.last >= last
        assert [e.text for e in log.events()][:last] == [f"reason {n}" for n in range(last)]
        assert check_chain(log) == []
        assert log.add(draft()).seq == log.last
