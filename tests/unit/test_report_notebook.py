"""What every report says of a notebook, and that a candidate's text is text in each."""

from __future__ import annotations

import dataclasses
import io

import pytest
from rich.console import Console

from grader.notebook.facts import Difference, NotebookFacts
from grader.notebook.fresh import CellError
from grader.report.dossier import Dossier
from grader.report.feedback import feedback
from grader.report.html.page import reviewer_page
from grader.report.report_json import build_report, validate
from grader.report.stored import report_from
from grader.report.terminal import render
from grader.text import CandidateText
from tests.unit.sample_report import HOSTILE, report

CLEAN = NotebookFacts("solution.ipynb", 7, 3, (), "", (), 2, "notebook.html")
FAILED = dataclasses.replace(
    CLEAN,
    errors=(
        CellError(
            4,
            2,
            CandidateText("NameError"),
            CandidateText("name 'x' is not defined"),
            CandidateText("y = x + 1"),
        ),
    ),
    differences=(Difference(5, CandidateText("old"), CandidateText("new")),),
)
BAD = CandidateText(HOSTILE)
ATTACK = dataclasses.replace(
    CLEAN, errors=(CellError(1, 1, BAD, BAD, BAD),), differences=(Difference(1, BAD, BAD),)
)


def scorecard(facts: NotebookFacts) -> str:
    out = io.StringIO()
    console = Console(file=out, width=100, color_system=None, force_terminal=False)
    render(dataclasses.replace(report(), notebook=facts), console)
    return out.getvalue()


def test_a_clean_run_is_one_line() -> None:
    shown = scorecard(CLEAN)
    assert "All 7 code cells run from top to bottom" in shown
    assert "The executed notebook: notebook.html" in shown


def test_a_failing_cell_is_named_with_its_line_in_every_report() -> None:
    shown = scorecard(FAILED)
    assert "Cell 4, line 2 failed: NameError: name 'x' is not defined" in shown
    assert "y = x + 1" in shown
    assert "The stored outputs of cell 5 are not those of a fresh run" in shown
    told = feedback(dataclasses.replace(report(), notebook=FAILED))
    assert "- cell 4, line 2 in <code>y &#61; x &#43; 1</code>: <code>NameError" in told
    document = build_report(dataclasses.replace(report(), notebook=FAILED))
    validate(document)
    assert document["notebook"]["errors"] == [
        {
            "cell": 4,
            "line": 2,
            "type": "NameError",
            "message": "name 'x' is not defined",
            "source": "y = x + 1",
        }
    ]
    assert document["notebook"]["differences"] == [{"cell": 5, "stored": "old", "fresh": "new"}]


def test_a_run_that_stopped_says_why() -> None:
    stopped = dataclasses.replace(CLEAN, stopped="the process ended")
    assert "It stopped: the process ended" in scorecard(stopped)
    told = feedback(dataclasses.replace(report(), notebook=stopped))
    assert "it stopped: the process ended" in told


def test_a_module_has_no_word_about_notebooks() -> None:
    assert "notebook" not in feedback(report())
    assert build_report(report())["notebook"] is None


def test_a_candidates_text_acts_in_no_report() -> None:
    shown = scorecard(ATTACK)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    told = feedback(dataclasses.replace(report(), notebook=ATTACK))
    assert "<script>" not in told
    assert "\x1b" not in told
    validate(build_report(dataclasses.replace(report(), notebook=ATTACK)))


@pytest.mark.parametrize("facts", [CLEAN, FAILED, ATTACK])
def test_every_line_fits_the_terminal(facts: NotebookFacts) -> None:
    assert max(len(line) for line in scorecard(facts).splitlines()) <= 100


@pytest.mark.parametrize("facts", [None, CLEAN, FAILED, ATTACK])
def test_a_stored_report_holds_the_facts_again(facts: NotebookFacts | None) -> None:
    document = build_report(dataclasses.replace(report(), notebook=facts))
    assert build_report(report_from(document))["notebook"] == document["notebook"]


def test_the_reviewers_page_names_failing_cells_and_outputs_that_differ() -> None:
    dossier = Dossier(dataclasses.replace(report(), notebook=FAILED), (), None, "<p>page</p>")
    page = reviewer_page(dossier)
    assert "cell 4, line 2: NameError" in page
    assert "<code>y = x + 1</code>" in page
    assert "Cell 5: what was stored is not what a fresh run gives" in page
    assert 'iframe sandbox=""' in page
    assert "<script" not in reviewer_page(
        Dossier(dataclasses.replace(report(), notebook=ATTACK), (), None, None)
    )
