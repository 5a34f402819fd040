"""Deleting a candidate's data: nothing of them is left, and the chain still checks."""

from __future__ import annotations

import csv
import datetime as dt
import sys
from pathlib import Path

import pytest

from grader.collect.cases import read_cases
from grader.collect.purge import plan, purge
from grader.commands import audit
from grader.commands import purge as command
from grader.decisions.events import Draft, Kind
from grader.decisions.fold import fold
from grader.decisions.log import Log, check_chain
from grader.decisions.names import open_names
from grader.errors import UsageError
from grader.report.tables import write_csv

sys.path.insert(0, str(Path(__file__).parent))
from decided import draft
from review_board import PEOPLE, fill, told

ANN, LI = PEOPLE[0], PEOPLE[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with decisions on two candidates, one of them with a stage that people scored."""
    made = fill(tmp_path / "collected") if (tmp_path / "collected").mkdir() is None else tmp_path
    rows = [(p.identifier, p.name, p.email, 3.5) for p in PEOPLE]
    (made / "collected.csv").write_bytes(write_csv(("candidate", "name", "email", "score"), rows))
    (made / "gradebook-canvas.csv").write_bytes(
        write_csv(("Student",), [(ANN.email,), (LI.email,)])
    )
    (made / "index.html").write_text(told(ANN), "utf-8")
    names = open_names(made)
    with Log(made) as log:
        for person in (ANN, LI):
            case = names.case("imputation", person.identifier)
            log.add(draft(case=case, text=f"on {person.name}"))
        stage = names.case("scorecard/system_design", ANN.identifier)
        log.add(Draft(Kind.NOTE, "rosa", stage, "scorecard/system_design", text=told(ANN)))
    return made


def everything(folder: Path) -> bytes:
    return b"\n".join(
        str(path.relative_to(folder)).encode() + path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )


def test_a_dry_run_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = everything(folder)
    assert command.run([str(folder), "--candidate", ANN.identifier]) == 0
    assert everything(folder) == before
    said = capsys.readouterr().out
    assert "would be deleted, of annabelle.leitner" in said
    assert "nothing was deleted: add --yes" in said
    assert "not reached" in said


def test_nothing_of_a_purged_candidate_is_left(folder: Path) -> None:
    command.run([str(folder), "--candidate", ANN.identifier, "--yes"])
    left = everything(folder).lower()
    for text in (ANN.identifier, ANN.username, ANN.last_name, ANN.email, ANN.number):
        assert text.lower().encode() not in left
    assert LI.email.encode() in left


def test_levels_stay_under_a_pseudonym_and_the_chain_checks(folder: Path) -> None:
    command.run([str(folder), "--candidate", ANN.identifier, "--yes"])
    case = open_names(folder).case("imputation", ANN.identifier)
    with Log(folder) as log:
        assert check_chain(log) == []
        state = fold(log.events())
    assert [(e.level, e.text) for e in state.decisions[case, "code_clarity"]] == [(3, None)]
    assert len(state.purged) == 2


def test_the_others_keep_everything(folder: Path) -> None:
    command.run([str(folder), "--candidate", ANN.identifier, "--yes"])
    stored = read_cases(folder)
    assert [case.who for case in stored.cases] == [p.identifier for p in PEOPLE[1:]]
    assert all((folder / case.run / "report.json").is_file() for case in stored.cases)
    with (folder / "collected.csv").open(encoding="utf-8") as file:
        assert [row["candidate"] for row in csv.DictReader(file)] == [
            p.identifier for p in PEOPLE[1:]
        ]


def test_a_run_that_somebody_else_sent_as_well_stays(folder: Path) -> None:
    stored = (folder / "cases.json").read_text("utf-8")
    runs = [case.run for case in read_cases(folder).cases]
    (folder / "cases.json").write_text(stored.replace(runs[2], runs[0]), "utf-8")
    found = plan(folder, who=ANN.identifier)
    assert found.kept == (folder / runs[0],)
    assert folder / runs[0] not in found.runs


def test_a_purge_that_was_interrupted_is_ended_by_the_next(folder: Path) -> None:
    found = plan(folder, who=ANN.identifier)
    for run in found.runs:
        (run / "report.json").unlink()
    purge(folder, found, "rosa")
    assert not any(run.exists() for run in found.runs)


def test_old_results_go_by_their_age(folder: Path) -> None:
    now = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
    assert plan(folder, older_than=dt.timedelta(days=180), now=now).who == tuple(
        sorted(p.identifier for p in PEOPLE)
    )
    assert plan(folder, older_than=dt.timedelta(days=200), now=now).who == ()


def test_nobody_of_that_name_is_a_mistake(folder: Path) -> None:
    with pytest.raises(UsageError, match="knows nobody called 'annabelle'"):
        plan(folder, who="annabelle")


def test_an_audit_checks_the_log_of_a_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "log.jsonl"
    assert audit.run([str(folder), "--export", str(out)]) == 0
    assert "3 events, each as it was written" in capsys.readouterr().out
    assert out.read_bytes().count(b"\n") == 3


def test_an_audit_of_an_altered_log_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Log(folder) as log:
        log._db.execute("DROP TRIGGER events_stay")
        log._db.execute("UPDATE events SET hash = 'x' WHERE seq = 2")
    assert audit.run([str(folder)]) == 1
    assert "event 2 is not as it was written" in capsys.readouterr().out
