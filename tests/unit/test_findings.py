"""The candidate's findings stand beside the verdicts and move nothing."""

from __future__ import annotations

import dataclasses
import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

from grader.models import FindingsRule, Submission, SubmissionFile
from grader.report import report_json
from grader.report.stored import report_from
from grader.report.terminal import render
from grader.scoring.findings import findings_of

sys.path.insert(0, str(Path(__file__).parent))
from sample_report import HOSTILE, RUBRIC, record, report

RULE = FindingsRule("FINDINGS.md", {"core": ("scal", "imput"), "style": ("naming",)})
ASKING = dataclasses.replace(RUBRIC, findings=RULE)
EVIDENCE = (record("test_one"), record("test_two", criterion="style", message="bad"))


def submission(text: bytes | None) -> Submission:
    files = () if text is None else (SubmissionFile("FINDINGS.md", text),)
    return Submission("jane", Path("jane.zip"), "a" * 64, files)


def test_an_exercise_that_asks_for_none_has_none() -> None:
    assert findings_of(submission(b"Scaler leaked."), RUBRIC, EVIDENCE) is None


def test_lines_that_hold_a_word_stand_beside_the_verdict() -> None:
    text = b"# Findings\n\nThe Scaler was fitted on all rows.\nAn escalator.\nre-imputed\n"

    found = findings_of(submission(text), ASKING, EVIDENCE)

    assert found is not None
    core, style = found.claims
    assert (core.passed, style.passed) == (True, False)
    assert [(n, line.raw) for n, line in core.lines] == [
        (3, "The Scaler was fitted on all rows."),
        (5, "re-imputed"),
    ]
    assert style.lines == ()


@pytest.mark.parametrize("data", [None, b"\xff\xfe\x00"])
def test_a_missing_or_unreadable_file_is_no_error(data: bytes | None) -> None:
    found = findings_of(submission(data), ASKING, EVIDENCE)

    assert found is not None
    assert found.text is None
    assert all(claim.lines == () for claim in found.claims)


def test_the_report_holds_them_and_the_terminal_escapes_them() -> None:
    found = findings_of(submission(f"scaled {HOSTILE}".encode("utf-8", "ignore")), ASKING, EVIDENCE)
    whole = dataclasses.replace(report(), findings=found)
    out = io.StringIO()
    render(whole, Console(file=out, width=100, color_system=None, force_terminal=False))

    built = report_json.build_report(whole)

    report_json.validate(built)
    assert built["findings"]["claims"][0]["lines"][0]["line"] == 1
    assert "FINDINGS.md beside the machine's findings" in out.getvalue()
    assert "\x1b" not in out.getvalue()
    assert "no line seems to be about it" in out.getvalue()


def test_they_move_no_score() -> None:
    with_words = findings_of(submission(b"scale impute naming"), ASKING, EVIDENCE)

    whole = dataclasses.replace(report(), findings=with_words)

    assert whole.scorecard == report().scorecard


def test_remarks_are_shown_and_kept() -> None:
    told = dataclasses.replace(record("test_one"), remarks=("Inconclusive: noise hides it.",))
    out = io.StringIO()
    whole = report(told, record("test_two", criterion="style"), record("s", criterion="scale"))
    render(whole, Console(file=out, width=100, color_system=None, force_terminal=False))

    assert "Inconclusive: noise hides it." in out.getvalue()
    assert report_json.build_report(whole)["evidence"][0]["remarks"] == list(told.remarks)


CODE = b'''"""A cache.

Safe with threads: one lock.
"""

LOCK = "thread"  # never hold this lock in a callback
x = 1  # nothing
'''


def test_comments_and_docstrings_with_a_word_are_found() -> None:
    rule = dataclasses.replace(RULE, code=("thread", "lock"))
    asking = dataclasses.replace(RUBRIC, findings=rule)
    files = (SubmissionFile("solution.py", CODE), SubmissionFile("notes.txt", b"# a lock"))

    found = findings_of(Submission("jane", Path("jane.zip"), "a" * 64, files), asking, EVIDENCE)

    assert found is not None
    assert [(note.path, note.line, note.text.raw) for note in found.notes] == [
        ("solution.py", 3, "Safe with threads: one lock."),
        ("solution.py", 6, "never hold this lock in a callback"),
    ]


def test_what_did_not_hold_stands_beside_the_claim() -> None:
    found = findings_of(submission(b"naming is fine"), ASKING, EVIDENCE)

    assert found is not None
    core, style = found.claims
    assert core.facts == ()
    assert style.facts == (EVIDENCE[1].test.title or EVIDENCE[1].test.id,)


def test_notes_and_facts_are_kept_in_the_report() -> None:
    rule = dataclasses.replace(RULE, code=("lock",))
    files = (SubmissionFile("a.py", b"# lock\n"), SubmissionFile("FINDINGS.md", b"naming"))
    sent = Submission("jane", Path("jane.zip"), "a" * 64, files)
    found = findings_of(sent, dataclasses.replace(RUBRIC, findings=rule), EVIDENCE)
    document = report_json.build_report(dataclasses.replace(report(*EVIDENCE), findings=found))

    assert report_from(document).findings == found
