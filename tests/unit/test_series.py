from __future__ import annotations

import dataclasses
import io
import sys
from pathlib import Path

from rich.console import Console

from grader.models import Evidence, Measurement
from grader.report.terminal import render
from grader.scores import CriterionShare
from grader.scoring.indicators import indicators
from grader.scoring.series import collect_series, point_of

sys.path.insert(0, str(Path(__file__).parent))
from sample_report import record, report

SHARES = (
    Measurement("accuracy[email]", 0.8, "share right", 0.5),
    Measurement("accuracy[chat]", 0.0, "share right"),
    Measurement("accuracy", 0.7, "share right", 0.5),
    Measurement("accuracy[form]", 1.0, "share right", 1.0),
    Measurement("speed[form]", 0.4, "share", volatile=True),
)


class _Ascii(io.StringIO):
    encoding = "ascii"  # type: ignore[assignment]


def _evidence(*measurements: Measurement) -> Evidence:
    return dataclasses.replace(record("one"), measurements=measurements)


def _shown(*, verbose: bool, ascii_only: bool = False) -> str:
    out = _Ascii() if ascii_only else io.StringIO()
    console = Console(file=out, width=80, color_system=None, force_terminal=False)
    render(report(_evidence(*SHARES)), console, verbose=verbose)
    return out.getvalue()


def test_points_keep_their_order_and_marks() -> None:
    found = collect_series(SHARES)

    assert list(found) == ["accuracy"]
    assert [(p.name, p.value, p.mark) for p in found["accuracy"]] == [
        ("email", 0.8, 0.5),
        ("chat", 0.0, None),
        ("form", 1.0, 1.0),
    ]


def test_a_name_without_a_point_is_no_series() -> None:
    for name in ("accuracy", "accuracy[]", "[email]", "a[b][c]", "a[b", "x" * 61 + "[y]"):
        assert point_of(Measurement(name, 0.5, "")) is None


def test_a_series_is_one_row_of_columns() -> None:
    line = next(row for row in _shown(verbose=False).splitlines() if "0.00 to 1.00" in row)

    assert line.split() == ["accuracy", "0.00", "to", "1.00", "▇▁█"]


def test_verbose_draws_a_bar_and_its_mark_for_each_point() -> None:
    rows = {row.split()[0]: row for row in _shown(verbose=True).splitlines() if row.split()}

    assert rows["email"].endswith("■■■■■■■■■■■■┃■■■■■■■····· 0.80")
    assert rows["chat"].endswith("························· 0.00")
    assert rows["form"].endswith("■■■■■■■■■■■■■■■■■■■■■■■■┃ 1.00")


def test_series_are_drawn_without_unicode_too() -> None:
    assert "0.00 to 1.00" in _shown(verbose=False, ascii_only=True)
    assert "############|#######..... 0.80" in _shown(verbose=True, ascii_only=True)
    assert _shown(verbose=True, ascii_only=True).isascii()


def test_a_report_without_series_has_no_such_section() -> None:
    out = io.StringIO()
    render(report(), Console(file=out, width=80, color_system=None))

    assert "Measured" not in out.getvalue()


def test_indicators_leave_points_to_the_drawing() -> None:
    share = CriterionShare("core", "Core", 1, 1)

    texts = [item.text for item in indicators(["core"], {"core": share}, [_evidence(*SHARES)])]

    assert any("accuracy 0.7 share right (threshold 0.5)" in text for text in texts)
    assert not any("[email]" in text for text in texts)
