"""``grade stats``: what real submissions say about an exercise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.authoring.stats import measure_exercise
from grader.authoring.stats_report import stats_csv, stats_json, stats_lines, stats_page
from grader.collect.decided import looked_at
from grader.commands._common import parser
from grader.errors import UsageError
from grader.files import write_whole
from grader.report.report_json import read_report
from grader.report.stored import report_from

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from grader.report.model import Report

__all__ = ["arguments", "run"]

_REPORT = "report.json"


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("stats", "Say of each criterion and check how real submissions did.")
    made.add_argument(
        "collected",
        nargs="+",
        metavar="COLLECTED",
        type=Path,
        help="folders with results, as grade collect or grade wrote them",
    )
    made.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("results"), help="default: results"
    )
    return made


def run(argv: Sequence[str]) -> int:
    """Write JSON, CSV and a page for each exercise among the results."""
    options = arguments().parse_args(argv)
    by_exercise: dict[str, list[Report]] = {}
    for report in _reports(options.collected):
        by_exercise.setdefault(report.exercise_id, []).append(report)
    looked = looked_at(options.collected)
    options.out.mkdir(parents=True, exist_ok=True)
    console, progress = Console(highlight=False), Console(stderr=True, highlight=False)
    for name, reports in sorted(by_exercise.items()):
        stats = measure_exercise(reports, looked.get(name, ()))
        stem = options.out / f"stats-{name}"
        write_whole(stem.with_suffix(".json"), stats_json(stats))
        write_whole(stem.with_suffix(".csv"), stats_csv(stats))
        write_whole(stem.with_suffix(".html"), stats_page(stats).encode())
        for line in stats_lines(stats):
            console.print(line, markup=False, soft_wrap=True)
        progress.print(f"· drawn in {stem}.html", markup=False, soft_wrap=True)
    return 0


def _reports(folders: Iterable[Path]) -> list[Report]:
    """The newest report of each submission, by exercise and digest."""
    found: dict[tuple[str, str], Report] = {}
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder; give one that grade collect wrote")
        for path in sorted(folder.rglob(_REPORT)):
            report = report_from(read_report(path))
            key = (report.exercise_id, report.submission_digest)
            if key not in found or found[key].moment.started < report.moment.started:
                found[key] = report
    if not found:
        raise UsageError(
            f"there is no {_REPORT} in {', '.join(map(str, folders))}; give folders that grade "
            "collect wrote"
        )
    return [found[key] for key in sorted(found)]
