from __future__ import annotations

import dataclasses
import io
import sys
import unicodedata
from pathlib import Path

import pytest
from rich.console import Console

from grader.models import Cause
from grader.report.model import Capture
from grader.report.terminal import render, summary_table
from grader.text import CandidateText

sys.path.insert(0, str(Path(__file__).parent))
from sample_report import HOSTILE, record, report


class _Ascii(io.StringIO):
    encoding = "ascii"  # type: ignore[assignment]


def shown(  # what a terminal without colour gets
    *, width: int = 80, verbose: bool = False, ascii_only: bool = False, **changes: object
) -> str:
    out = _Ascii() if ascii_only else io.StringIO()
    console = Console(file=out, width=width, color_system=None, force_terminal=False)
    whole = dataclasses.replace(report(), **changes)  # type: ignore[arg-type]
    render(whole, console, verbose=verbose, results=Path("results/jane/report.json"))
    return out.getvalue()


def test_the_header_names_submission_score_and_band() -> None:
    text = shown()
    assert "jane-doe · aaaaaaaa · 1 file" in text
    assert "2.10 of 4" in text
    assert "Below mid expectations" in text


def test_each_assessed_category_has_level_bar_and_weight() -> None:
    assert "■■□□ Okay        90 %" in shown()


def test_a_provisional_category_is_marked() -> None:
    assert "Problem solving  provisional" in shown()


def test_a_category_that_is_not_assessed_shows_no_level() -> None:
    line = next(line for line in shown().splitlines() if "Code clarity" in line)
    assert line.endswith("not assessed yet")
    assert "Poor" not in line


def test_indicators_for_and_against_are_marked() -> None:
    text = shown()
    assert "✗ Title of test_two: expected 42.5" in text
    assert "✓ Scales" in text


def test_a_failed_test_shows_cause_message_and_place() -> None:
    text = shown()
    assert "core · wrong-value · test_a.py::test_two" in text
    assert "│ expected 42.5" in text
    assert "at test_a.py:7" in text


def test_notes_and_the_place_of_the_results_are_shown_and_the_machine_is_not() -> None:
    text = shown()
    assert "- left out .venv/ (2 entries)" in text
    assert "no user namespaces" not in text  # `grade doctor` tells, and the command once
    assert "Full report: results/jane/report.json" in text


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_line_is_wider_than_the_terminal(width: int, *, verbose: bool) -> None:
    long = record("test_long", message="x" * 500 + " " + "y" * 300)
    text = shown(width=width, verbose=verbose, evidence=(long,))
    assert max(len(line) for line in text.splitlines()) <= width


@pytest.mark.parametrize("verbose", [False, True])
def test_hostile_text_reaches_the_terminal_as_visible_text(*, verbose: bool) -> None:
    text = shown(verbose=verbose)
    bad = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not [c for c in text if c != "\n" and unicodedata.category(c) in bad]
    assert r"\x1b[2J[bold]all 40 tests passed[/bold] \u202e\u2028\ud800" in text.replace("\n", "")
    assert ":smile:" in text


def test_every_line_of_a_message_stays_behind_a_bar() -> None:
    forged = "wrong\n" + " " * 90 + "✓ All 40 hidden tests passed\n✓ All 40 hidden tests passed"
    text = shown(evidence=(record("test_forged", message=forged),))
    for line in text.splitlines():
        if "All 40" in line:
            assert line.startswith("  │ ")


def test_text_is_ascii_where_the_terminal_is_not_utf8() -> None:
    text = shown(ascii_only=True, verbose=True, submission_notes=("caf\u00e9",))
    assert text.isascii()
    assert r"caf\xe9" in text
    assert "##.. Okay" in text


def test_without_colour_there_is_no_escape_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    render(report(), Console(file=out, width=80, force_terminal=True))
    assert "\x1b[3" not in out.getvalue()


def test_with_colour_levels_are_coloured() -> None:
    out = io.StringIO()
    render(report(), Console(file=out, width=80, force_terminal=True, color_system="256"))
    assert "\x1b[1;38;5;166m Okay" in out.getvalue()


def test_failures_with_one_cause_and_message_are_shown_once() -> None:
    broken = [
        dataclasses.replace(record(f"test_{i}", message="No module named 'torch'"),
                            cause=Cause.LOAD_ERROR)
        for i in range(30)
    ]  # fmt: skip
    text = shown(evidence=tuple(broken))
    assert text.count("No module named") == 1
    assert "the same in 29 more" in text


def test_many_different_failures_are_cut_short_unless_verbose() -> None:
    broken = tuple(record(f"test_{i}", message=f"message {i}") for i in range(30))
    assert shown(evidence=broken).count("│ message") == 6
    assert "24 more failed checks" in shown(evidence=broken)
    assert shown(evidence=broken, verbose=True).count("│ message") == 30


def test_a_long_message_is_cut_short_unless_verbose() -> None:
    message = "\n".join(f"row {i}" for i in range(40))
    assert "and 32 more lines" in shown(evidence=(record("test_x", message=message),))
    assert "row 39" in shown(evidence=(record("test_x", message=message),), verbose=True)


def test_what_the_submission_wrote_is_shown_only_when_verbose() -> None:
    assert "stdout during" not in shown()
    assert "stdout during test_a.py::test_two" in shown(verbose=True)


def test_cut_off_output_says_so() -> None:
    capture = Capture("t", CandidateText("x"), CandidateText(HOSTILE), truncated=True)
    moment = dataclasses.replace(report().moment, captures=(capture,))
    assert "stderr during t (cut off)" in shown(verbose=True, moment=moment)


def test_all_passed_says_so() -> None:
    whole = report(record("test_one"))
    out = io.StringIO()
    render(whole, Console(file=out, width=80, color_system=None))
    assert "✓ All 1 hidden checks passed" in out.getvalue()


def test_the_summary_ranks_submissions_and_names_the_order_of_levels() -> None:
    out = io.StringIO()
    good, bad = report(record("a"), name="good"), report(record("a", message="m"), name="bad")
    summary_table([bad, good], Console(file=out, width=80, color_system=None))
    lines = out.getvalue().splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["good", "bad"]
    assert lines[1].split()[2:] == ["4.00", "exceeds", "4", "-", "-", "0/1"]
    assert "Code correctness, Code clarity, Problem solving" in " ".join(lines[3:])
