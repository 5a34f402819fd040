"""The ``grade`` command: parse, call, exit code. Its subcommands are in `grader.commands`.

`grader.__main__` starts it.

Exit codes: 0 graded; 1 graded, but below ``--fail-under``; 2 wrong usage; 3 the machine or the
grader failed, so there is no score; 4 the submission was rejected; 130 interrupted. Of several
submissions the most serious one counts, in the order 3, 2, 4, 1, 0.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader import interrupts
from grader.commands import call, overview
from grader.commands._common import options_of_grade
from grader.errors import GraderError, SubmissionRejected, UsageError, unforeseen
from grader.text import CandidateText, for_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_EXIT_CODES = """\
exit codes: 0 graded, 1 below --fail-under, 2 wrong usage, 3 platform failure (no score),
4 rejected submission; of several submissions the most serious counts (3, 2, 4, 1, 0)
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="grade",
        description="Grade take-home submissions in a sandbox against hidden tests.",
        epilog=f"other commands:\n{overview()}\n\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[options_of_grade(help_option=False)],
    )
    parser.add_argument(
        "submissions",
        nargs="+",
        metavar="SUBMISSION",
        type=Path,
        help="zip, tar.gz, folder, .py or .ipynb file; several at once",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    errors = Console(stderr=True, highlight=False)
    try:
        code = call(arguments[0], arguments[1:]) if arguments else None
        return _grade(_parser().parse_args(arguments)) if code is None else code
    except SubmissionRejected as error:
        _complain(errors, f"rejected ({error.code})", error)
        return error.exit_code
    except GraderError as error:
        _complain(errors, "error", error)
        return error.exit_code
    except KeyboardInterrupt:
        errors.print("interrupted; the containers were removed", markup=False)
        return interrupts.EXIT_CODE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - Python's own exit code would say "below --fail-under"
        fault = unforeseen(error)
        _complain(errors, "error", fault)
        return fault.exit_code


def _complain(console: Console, what: str, error: BaseException) -> None:
    # The message may quote names from an archive.
    console.print(
        f"grade: {what}: {for_terminal(CandidateText(str(error)), lines=True)}",
        markup=False,
        soft_wrap=True,
    )


def _grade(options: argparse.Namespace) -> int:
    from grader.batch import grade_all  # noqa: PLC0415 - `grade --help` needs no engine

    missing = [path for path in options.submissions if not path.exists()]
    if missing:
        raise UsageError(f"there is no {missing[0]}; give the path of a zip, folder or .py file")
    return grade_all(options)
