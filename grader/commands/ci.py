"""``grade ci``: what the GitHub action does with a run that it made."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from grader.commands._common import parser
from grader.errors import UsageError
from grader.files import write_whole
from grader.report.ci import check_run, commit_status, fenced, notices, rejected
from grader.report.classroom import classroom50_result, place_from, reporter_line
from grader.report.dossier import open_dossier
from grader.report.formats import render

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["arguments", "run"]

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("ci", "Publish a run from a GitHub Actions job.")
    made.add_argument(
        "run", type=Path, metavar="RUN", nargs="?", help="a results folder, or a folder with one"
    )
    made.add_argument(
        "--rejected", action="store_true", help="there is no RUN: intake refused the submission"
    )
    made.add_argument("--commit", metavar="SHA", help="the candidate's commit")
    made.add_argument("--name", default="take-home", help="of the check and the status")
    made.add_argument(
        "--payloads", metavar="DIR", type=Path, help="write check-run.json and status.json here"
    )
    made.add_argument(
        "--classroom50", metavar="FILE", type=Path, help="write Classroom 50's result.json"
    )
    return made


def run(argv: Sequence[str]) -> int:
    """Print log and annotations of a run; write outputs, summary and payloads."""
    options = arguments().parse_args(argv)
    if options.payloads and not _COMMIT.fullmatch(options.commit or ""):
        raise UsageError("--payloads needs --commit with a full hash (40 hexadecimal digits)")
    if options.rejected == (options.run is not None):
        raise UsageError("give either RUN or --rejected")
    if options.rejected:
        check, status = rejected(name=options.name, commit=options.commit or "")
        _payloads(options.payloads, check, status)
        return 0
    dossier, _ = open_dossier(_only_run(options.run), None)
    report = dossier.report
    sys.stdout.write(fenced(render("text", dossier).decode("utf-8", "replace")))
    sys.stdout.write(notices(report))
    if options.payloads:
        check = check_run(dossier, name=options.name, commit=options.commit)
        _payloads(options.payloads, check, commit_status(dossier, name=options.name))
    if options.classroom50:
        result = classroom50_result(report, place_from(os.environ))
        write_whole(options.classroom50, (json.dumps(result, indent=2) + "\n").encode("ascii"))
    _append("GITHUB_STEP_SUMMARY", render("github", dossier))
    outputs = {
        "score": f"{report.scorecard.overall:.2f}",
        "band": report.scorecard.band.value,
        "result": reporter_line(dossier).decode("ascii"),
        "digest": report.submission_digest,
    }
    # One line each, of digits, letters and base64 signs: there is nothing to be fenced.
    _append("GITHUB_OUTPUT", "".join(f"{k}={v}\n" for k, v in outputs.items()).encode("ascii"))
    return 0


def _payloads(folder: Path | None, check: bytes, status: bytes) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "check-run.json", check)
        write_whole(folder / "status.json", status)


def _only_run(folder: Path) -> Path:
    if (folder / "report.json").is_file():
        return folder
    inside = sorted(file.parent for file in folder.glob("*/report.json"))
    if len(inside) != 1:
        raise UsageError(f"{folder} holds {len(inside)} runs; name one of them")
    return inside[0]


def _append(variable: str, data: bytes) -> None:
    path = os.environ.get(variable)
    if path:
        with Path(path).open("ab") as file:
            file.write(data)
