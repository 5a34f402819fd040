"""``grade pack``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.commands._common import parser
from grader.errors import UsageError
from grader.files import write_whole
from grader.intake.submission import for_entry, read_submission
from grader.record.graded import pack_files
from grader.text import CandidateText, for_terminal

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["arguments", "run"]


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("pack", "Pack a folder as the zip to hand in.")
    made.add_argument(
        "folder", metavar="FOLDER", type=Path, nargs="?", default=Path(), help="default: here"
    )
    made.add_argument(
        "--out", metavar="ZIP", type=Path, default=Path("submission.zip"), help="its name"
    )
    made.add_argument("--entry", metavar="FILE", default="solution.py", help="must be there")
    return made


def run(argv: Sequence[str]) -> int:
    """Pack a folder as a submission, by the rules that intake holds submissions to."""
    options = arguments().parse_args(argv)
    if not options.folder.is_dir():
        raise UsageError(f"{options.folder} is no folder; give the one that you worked in")
    submission = for_entry(read_submission(options.folder), options.entry)
    write_whole(options.out, pack_files(submission.files))
    console = Console(highlight=False)
    for file in submission.files:
        console.print(f"  {for_terminal(file.path)}  {len(file.data)} bytes", markup=False)
    for note in submission.notes:
        console.print(f"  {for_terminal(CandidateText(note))}", markup=False, soft_wrap=True)
    console.print(f"{options.out}  digest {submission.digest[:12]}", markup=False, soft_wrap=True)
    return 0
