"""``grade purge``."""

from __future__ import annotations

import argparse
import datetime as dt
import getpass
import re
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.collect.purge import CANNOT_REACH, plan, purge
from grader.commands._common import parser
from grader.errors import UsageError
from grader.text import CandidateText, for_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["arguments", "run"]

_EPILOG = """\
Without --yes nothing is deleted: what would be is printed. Results, submitted files, transcripts,
rows of tables, and what reviewers wrote go. Levels stay in the log under a pseudonym, whose chain
still checks.
"""


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser("purge", "Delete the data of candidates from a folder of results.")
    made.epilog = _EPILOG
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.add_argument("collected", metavar="COLLECTED", type=Path, help="a folder of results")
    which = made.add_mutually_exclusive_group(required=True)
    which.add_argument("--candidate", metavar="WHO", help="as the table calls them")
    which.add_argument(
        "--older-than", metavar="AGE", type=_age, help="graded longer ago, such as 180d"
    )
    made.add_argument("--yes", action="store_true", help="delete")
    return made


def run(argv: Sequence[str]) -> int:
    """Print what is to be deleted, or delete it."""
    options = arguments().parse_args(argv)
    if options.candidate == "":
        raise UsageError("--candidate names nobody")
    folder = options.collected
    found = plan(folder, who=options.candidate or "", older_than=options.older_than)
    console = Console(highlight=False)

    def say(text: str) -> None:
        console.print(for_terminal(CandidateText(text)), markup=False, soft_wrap=True)

    if not found.who:
        say("nobody: no candidate's runs are all that old")
        return 0
    verb = "deleted" if options.yes else "would be deleted"
    texts = purge(folder, found, getpass.getuser()) if options.yes else None
    say(f"{verb}, of {', '.join(found.who)}:")
    for path in found.runs:
        say(f"  {path}/")
    for path in found.tables:
        say(f"  rows of {path}")
    for path in found.pages:
        say(f"  {path}, which grade collect writes again")
    if found.log:
        count = "" if texts is None else f"{texts} "
        say(f"  {count}reasons and notes of reviewers; levels stay, under pseudonyms")
    for path in found.kept:
        say(f"kept: {path}/, because somebody else sent the same files")
    say("not reached:")
    for text in CANNOT_REACH:
        say(f"  {text}")
    if not options.yes:
        say("nothing was deleted: add --yes")
    return 0


def _age(text: str) -> dt.timedelta:
    match = re.fullmatch(r"([1-9][0-9]{0,4})([dwm])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no age like 180d, 26w or 6m")
    return dt.timedelta(days=int(match[1]) * {"d": 1, "w": 7, "m": 30}[match[2]])
