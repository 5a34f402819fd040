"""Every place that shows a level shows both, and says which counts; ``report.json`` never does."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader.collect.cases import read_cases
from grader.collect.decided import decided_run
from grader.commands import collect
from grader.commands import report as command
from grader.decisions.events import Draft, Kind
from grader.decisions.log import Log
from grader.decisions.names import open_names
from grader.errors import UsageError
from grader.proof.audit import audit
from grader.report.decided import run_digest
from grader.report.dossier import open_dossier
from grader.report.formats import FORMATS, render
from grader.report.stored import read_run

sys.path.insert(0, str(Path(__file__).parent))
from finished_run import ROOT, finished_run
from test_collect import arguments, fast, submission, table

if TYPE_CHECKING:
    from grader.report.model import Report


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A collection of two, on the first of which a reviewer decided."""
    for name in ("ann", "bob"):
        submission(tmp_path / "in" / name, f"# {name}\n")
    made = tmp_path / "out"
    collect.run(arguments(tmp_path / "in", made), benches=fast(made))
    decide(made, "ann", level=1, text="the loop is copied")
    return made


def decide(out: Path, who: str, **fields: Any) -> None:
    case = next(case for case in read_cases(out).cases if case.who == who)
    report, _ = read_run(out / case.run)
    values = {
        "by": "rosa", "case": open_names(out).case(case.exercise, who), "exercise": case.exercise,
        "category": "problem_solving", "machine": 3, "run": run_digest(report),
        "scoring": report.run.scoring_digest, **fields,
    }  # fmt: skip
    with Log(out) as log:
        log.add(Draft(Kind.OVERRULE, **values))


def again(tmp_path: Path, out: Path, *more: str) -> dict[str, dict[str, str]]:
    """Collect once more, which grades nothing twice; rows by candidate."""
    collect.run(arguments(tmp_path / "in", out, *more), benches=fast(out, fail="in"))
    return {row["candidate"]: row for row in table(out)}


def folder_of(out: Path, who: str) -> Path:
    return out / next(case.run for case in read_cases(out).cases if case.who == who)


def decided_report(out: Path) -> Report:
    run = folder_of(out, "ann")
    return decided_run(run, read_run(run)[0], None)


def test_the_table_has_both_levels_and_says_which_count(tmp_path: Path, out: Path) -> None:
    rows = again(tmp_path, out)
    assert (rows["ann"]["levels"], rows["ann"]["machine_levels"]) == ("4-1", "4-3")
    assert (rows["ann"]["counts"], rows["bob"]["counts"]) == ("reviewer", "machine")
    assert (rows["ann"]["machine_score"], rows["bob"]["score"]) == ("3.9", "3.9")
    assert float(rows["ann"]["score"]) < 3.9
    page = (out / "index.html").read_text("utf-8")
    assert "machine Strong, overruled by rosa: Poor counts" in page
    assert "machine 3.90" in page


def test_a_gradebook_has_the_score_that_counts(tmp_path: Path, out: Path) -> None:
    rows = again(tmp_path, out, "--gradebook", "classroom50")
    text = (out / "gradebook-classroom50.csv").read_text("utf-8")
    scores = {row["username"]: row["score"] for row in csv.DictReader(io.StringIO(text))}
    assert scores == {"ann": str(round(float(rows["ann"]["score"]) * 100)), "bob": "390"}


def test_a_stale_decision_is_told_and_does_not_count(tmp_path: Path, out: Path) -> None:
    decide(out, "bob", level=1, text="of another run", run="0" * 64)
    rows = again(tmp_path, out)
    assert rows["bob"]["counts"] == "machine, a decision is stale"
    assert rows["bob"]["levels"] == rows["bob"]["machine_levels"] == "4-3"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("html", "overruled by rosa: Poor counts"),
        ("text", "Machine Strong, overruled by rosa: Poor counts"),
        ("github", "overruled by rosa"),
        ("junit", 'name="machine.level.problem_solving" value="strong"'),
        ("feedback-html", "machine Strong, overruled by a reviewer: Poor counts"),
        ("feedback-md", "Machine Strong, overruled by a reviewer: Poor counts"),
        ("gradescope", "Poor (machine Strong, overruled by a reviewer: Poor counts)"),
    ],
)
def test_each_format_shows_both(out: Path, name: str, said: str) -> None:
    dossier, _ = open_dossier(folder_of(out, "ann"), None)
    made = render(name, type(dossier)(decided_report(out), dossier.files)).decode()
    assert said in made.replace("&#32;", " ")


@pytest.mark.parametrize("name", ["feedback-html", "feedback-md", "gradescope"])
def test_candidates_read_neither_who_decided_nor_why(out: Path, name: str) -> None:
    dossier, _ = open_dossier(folder_of(out, "ann"), None)
    made = render(name, type(dossier)(decided_report(out), dossier.files)).decode()
    assert "rosa" not in made
    assert "the loop is copied" not in made


def test_the_json_format_stays_the_machines_record(out: Path) -> None:
    dossier, _ = open_dossier(folder_of(out, "ann"), None)
    made = json.loads(render("json", type(dossier)(decided_report(out), dossier.files)))
    assert made == json.loads((folder_of(out, "ann") / "report.json").read_text())


def test_every_format_can_be_made_of_a_decided_run(out: Path, tmp_path: Path) -> None:
    run = folder_of(out, "ann")
    argv = [str(run), "--as-recorded", "--format", "all", "--out", str(tmp_path / "made")]
    assert command.run(argv) == 0
    assert {path.name for path in (tmp_path / "made").iterdir()} == {
        form.file for form in FORMATS.values()
    }


def test_a_run_of_two_candidates_asks_whose_report_is_wanted(tmp_path: Path, out: Path) -> None:
    (tmp_path / "in" / "zoe").mkdir()
    (tmp_path / "in" / "zoe" / "solution.py").write_text("# ann\n")
    again(tmp_path, out)
    run = folder_of(out, "ann")
    report, _ = read_run(run)
    with pytest.raises(UsageError, match="name one with --candidate"):
        decided_run(run, report, None)
    assert decided_run(run, report, None, "ann").machine is not None
    assert decided_run(run, report, None, "zoe").machine is None


def test_an_audit_accepts_a_page_that_was_made_again_with_decisions(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    report, _ = read_run(run)
    alias = open_names(run.parent).case(report.exercise_id, report.submission_name)
    with Log(run.parent) as log:
        log.add(
            Draft(
                Kind.OVERRULE, "rosa", alias, report.exercise_id, "code_clarity", 1, 4,
                run_digest(report), report.run.scoring_digest, text="unreadable",
            )
        )  # fmt: skip
    command.run([str(run), "--root", str(ROOT), "--format", "html"])
    assert "unreadable" in (run / "report.html").read_text("utf-8")
    checks = {check.name: check for check in audit(run, root=ROOT)}
    assert checks["report.html"].state == "ok"
    assert "what people decided" in checks["report.html"].text
