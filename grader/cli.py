"""The ``grade`` command: parse, call, exit code.

Exit codes: 0 graded; 1 graded, but below ``--fail-under``; 2 wrong usage; 3 the machine or the
grader failed, so there is no score; 4 the submission was rejected; 130 interrupted. Of several
submissions the most serious one counts, in the order 3, 4, 1, 0.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console

import grader
from grader.errors import GraderError, SubmissionRejected, UsageError
from grader.text import CandidateText, for_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["main"]

_COMMANDS = ("list", "doctor", "replay", "images")
_EPILOG = """\
other commands:
  grade list              the exercises of this checkout
  grade doctor            what this machine's container engine offers and lacks
  grade images            build the sandbox images now
  grade replay RUN        recompute a run's verdicts from its transcript

exit codes: 0 graded, 1 below --fail-under, 2 wrong usage, 3 platform failure (no score),
4 rejected submission; of several submissions the most serious counts (3, 4, 1, 0)
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="grade",
        description="Grade take-home submissions in a sandbox against hidden tests.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "submissions",
        nargs="+",
        metavar="SUBMISSION",
        type=Path,
        help="zip, tar.gz, folder, .py or .ipynb file; several at once",
    )
    parser.add_argument("--exercise", metavar="ID", help="which exercise it is for")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("results"), help="default: results"
    )
    parser.add_argument("--root", metavar="DIR", type=Path, help="checkout with the exercises")
    parser.add_argument(
        "--json", action="store_true", help="print the report (of several: one JSON line each)"
    )
    parser.add_argument(
        "--fail-under", metavar="SCORE", type=_score, help="exit with 1 below this score (1-4)"
    )
    parser.add_argument("--quiet", action="store_true", help="one line for each submission")
    parser.add_argument("--verbose", action="store_true", help="list the passed tests as well")
    parser.add_argument(
        "--jobs", metavar="N", type=_count, default=1, help="submissions graded side by side"
    )
    parser.add_argument("--seed", metavar="HEX", help="128-bit seed in place of the seed file")
    parser.add_argument("--version", action="version", version=f"grade {grader.__version__}")
    return parser


def _score(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 1.0 <= value <= 4.0:  # noqa: PLR2004 - the scale of the rubric
        raise argparse.ArgumentTypeError(f"{text!r} is no score between 1 and 4")
    return value


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 64:  # noqa: PLR2004 - user ids are kept apart
        raise argparse.ArgumentTypeError(f"{text!r} is no number between 1 and 64")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    signal.signal(signal.SIGTERM, _terminated)
    errors = Console(stderr=True, highlight=False)
    try:
        if arguments and arguments[0] in _COMMANDS:
            return _COMMAND[arguments[0]](arguments[1:])
        return _grade(_parser().parse_args(arguments))
    except SubmissionRejected as error:
        _complain(errors, f"rejected ({error.code})", error)
        return error.exit_code
    except GraderError as error:
        _complain(errors, "error", error)
        return error.exit_code
    except KeyboardInterrupt:
        errors.print("interrupted; the containers were removed", markup=False)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _terminated(number: int, frame: object) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt


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


def _simple(name: str, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"grade {name}", description=description)
    parser.add_argument("--root", metavar="DIR", type=Path, help="checkout with the exercises")
    return parser


def _root(options: argparse.Namespace) -> Path:
    from grader.pipeline import project_root  # noqa: PLC0415

    return Path(options.root) if options.root else project_root()


def _list(argv: Sequence[str]) -> int:
    from grader.exercise import list_exercises  # noqa: PLC0415

    options = _simple("list", "List the exercises of a checkout.").parse_args(argv)
    console = Console(highlight=False)
    for exercise in list_exercises(_root(options)):
        console.print(
            f"{exercise.id}  {exercise.version}  {exercise.title} "
            f"({exercise.minutes} minutes, {exercise.seniority})",
            markup=False,
        )
    return 0


def _doctor(argv: Sequence[str]) -> int:
    from grader.sandbox.doctor import examine  # noqa: PLC0415

    options = _simple("doctor", "Examine the container engine and say what to mend.").parse_args(
        argv
    )
    console = Console(highlight=False)
    marks = {"ok": "[green]ok     [/]", "warning": "[yellow]warning[/]", "error": "[red]error  [/]"}
    worst = 0
    for finding in examine(_root(options)):
        console.print(f"{marks[finding.state]} {finding.name}: ", end="")
        console.print(finding.text, markup=False, soft_wrap=True)
        if finding.fix and finding.state != "ok":
            console.print(f"        mend it: {finding.fix}", markup=False, soft_wrap=True)
        worst = max(worst, 3 if finding.state == "error" else 0)
    return worst


def _images(argv: Sequence[str]) -> int:
    from grader.sandbox.workbench import Workbench  # noqa: PLC0415

    _simple("images", "Build the sandbox images unless they are there.").parse_args(argv)
    console = Console(stderr=True, highlight=False)
    bench = Workbench(lambda text: console.print(text, markup=False))
    console.print(f"candidate {bench.images.candidate[7:19]}, judge {bench.images.judge[7:19]}")
    return 0


def _replay(argv: Sequence[str]) -> int:
    from grader.pipeline import replay  # noqa: PLC0415

    parser = _simple("replay", "Recompute a run's verdicts from its transcript.")
    parser.add_argument("run", type=Path, metavar="RUN", help="a results folder")
    options = parser.parse_args(argv)
    evidence = replay(options.run, root=_root(options))
    passed = sum(item.status == "passed" for item in evidence)
    Console(highlight=False).print(
        f"replayed {len(evidence)} tests without the candidate's code: {passed} passed, "
        "every verdict and the score as recorded"
    )
    return 0


_COMMAND: dict[str, Callable[[Sequence[str]], int]] = {
    "list": _list,
    "doctor": _doctor,
    "replay": _replay,
    "images": _images,
}


if __name__ == "__main__":
    sys.exit(main())
