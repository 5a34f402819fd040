"""A report for people shows a bounded part of what a submission wrote, and says so."""

from __future__ import annotations

import dataclasses
import io

import pytest
from rich.console import Console
from sample_dossier import dossier
from sample_report import report

from grader.report._output import output_shown
from grader.report.html.page import reviewer_page
from grader.report.model import Capture, Report
from grader.report.terminal import render
from grader.text import CandidateText


def writing(texts: list[tuple[str, str]]) -> Report:
    captures = tuple(
        Capture(f"test_{n}", CandidateText(out), CandidateText(err))
        for n, (out, err) in enumerate(texts)
    )
    made = report()
    return dataclasses.replace(made, moment=dataclasses.replace(made.moment, captures=captures))


def test_streams_that_hold_nothing_are_left_out() -> None:
    shown, left = output_shown(writing([("a", ""), ("", "b"), ("", "")]))
    assert [(o.test_id, o.stream, o.text.raw) for o in shown] == [
        ("test_0", "stdout", "a"),
        ("test_1", "stderr", "b"),
    ]
    assert left == 0


def test_a_long_stream_is_cut_and_says_by_how_much() -> None:
    (only,), left = output_shown(writing([("x" * 65_536, "")]))
    assert only.text.raw == "x" * 3000 + " ... (62,536 more characters)"
    assert left == 0


@pytest.mark.parametrize("make", ["html", "text"])
def test_all_together_are_bounded_and_the_rest_is_counted(make: str) -> None:
    flood = writing([("x" * 65_536, "y" * 65_536)] * 60)
    shown, left = output_shown(flood)
    assert sum(len(output.text.raw) for output in shown) < 160_000
    assert left == 120 - len(shown) > 0
    out = io.StringIO()
    if make == "html":
        out.write(reviewer_page(dataclasses.replace(dossier(), report=flood)))
    else:
        render(flood, Console(file=out, width=100, color_system=None), verbose=True)
    assert f"output of {left} more is in" in out.getvalue()
    assert out.getvalue().count("x" * 60) + out.getvalue().count("y" * 60) < 5000


def test_many_short_lines_are_bounded_too() -> None:
    flood = writing([("7\n" * 30_000, "")] * 200)
    shown, left = output_shown(flood)
    assert shown[0].text.raw.endswith("... (29,941 more lines)")
    assert sum(output.text.raw.count("\n") for output in shown) < 4000
    assert left == 200 - len(shown) > 0
