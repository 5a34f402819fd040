"""``grade report``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.collect.decided import decided_run
from grader.commands._common import checkout, parser
from grader.errors import UsageError
from grader.exercise.contract import load_exercise
from grader.files import write_whole
from grader.report.document import json_schema
from grader.report.dossier import open_dossier
from grader.report.formats import FORMATS, render
from grader.report.report_json import read_report
from grader.scoring.final import counted
from grader.starter import handed_out
from grader.text import CandidateText, for_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grader.models import Exercise

__all__ = ["arguments", "run"]

_EPILOG = """\
For candidates: feedback-html and feedback-md. All others show hidden inputs and expected values.
If the rubric has changed since the run, the stored evidence is scored by the present one.
Levels that people decided with grade review count over the machine's, and both are shown; json is
the machine's record and never shows them.
"""


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("report", "Make a run's reports again from its stored evidence.")
    made.epilog = _EPILOG
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.add_argument("run", type=Path, metavar="RUN", nargs="?", help="a results folder")
    made.add_argument(
        "--format",
        dest="formats",
        action="append",
        choices=[*FORMATS, "all"],
        help="may be given several times; default: html",
    )
    made.add_argument(
        "--out",
        metavar="PATH",
        type=Path,
        help="a file (one format) or folder; '-' is stdout; default: the results folder",
    )
    made.add_argument(
        "--as-recorded",
        action="store_true",
        help="keep the recorded score also if the rubric has changed; needs no exercise",
    )
    made.add_argument(
        "--candidate", metavar="WHO", default="", help="of several who sent the same files"
    )
    made.add_argument(
        "--schema", action="store_true", help="print the JSON Schema of report.json and end"
    )
    return made


def run(argv: Sequence[str]) -> int:
    """Make reports again from what a run stored; nothing is executed and no Docker is needed."""
    options = arguments().parse_args(argv)
    if options.schema:
        sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
        return 0
    if options.run is None:
        arguments().error("the following arguments are required: RUN")
    names = list(dict.fromkeys(options.formats or ["html"]))
    if "all" in names:
        names = list(FORMATS)
    out: Path = options.out or options.run
    if str(out) == "-" and len(names) > 1:
        raise UsageError("stdout takes one --format; name a folder with --out for several")
    say = Console(stderr=True, highlight=False)
    exercise = _exercise(options)
    given = handed_out(exercise) if exercise else None
    dossier, again = open_dossier(options.run, exercise, given)
    if again:
        note = dossier.report.run.judge_notes[-1]
        say.print(f"· {for_terminal(CandidateText(note))}", markup=False, soft_wrap=True)
    report = decided_run(options.run, dossier.report, exercise, options.candidate)
    dossier = dataclasses.replace(dossier, report=report)
    if report.machine is not None:
        text = for_terminal(CandidateText(counted(report.scorecard, report.machine)))
        say.print(f"· {text}", markup=False, soft_wrap=True)
    for name in names:
        data = render(name, dossier)
        if str(out) == "-":
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            continue
        to_file = options.out is not None and len(names) == 1 and not out.is_dir()
        path = out if to_file else out / FORMATS[name].file
        if path.resolve() == (options.run / "report.json").resolve():
            if "all" in (options.formats or ()):
                continue
            raise UsageError(f"{path} is the record of the run; name another place with --out")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
        Console(highlight=False).print(str(path), markup=False, soft_wrap=True)
    return 0


def _exercise(options: argparse.Namespace) -> Exercise | None:
    if options.as_recorded:
        return None
    recorded = read_report(options.run / "report.json")["exercise"]["id"]
    try:
        return load_exercise(recorded, root=checkout(options))
    except UsageError as error:
        raise UsageError(
            f"{error}; name its checkout with --root, or keep the recorded score with --as-recorded"
        ) from error
