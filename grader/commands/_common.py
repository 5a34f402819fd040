"""What subcommands share: the parser with ``--root``, the checkout, argument types."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

import grader
from grader.exercise.contract import TEAM, project_root
from grader.exercise.toml import read_table
from grader.hooks.send import Hook, hook_from

__all__ = [
    "add_hook_options",
    "checkout",
    "count",
    "hook_of",
    "options_of_grade",
    "parser",
    "score",
]


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """A parser for ``grade NAME`` that knows ``--root``."""
    made = argparse.ArgumentParser(prog=f"grade {name}", description=description)
    made.add_argument("--root", metavar="DIR", type=Path, help="checkout with the exercises")
    return made


def checkout(options: argparse.Namespace) -> Path:
    """The folder that ``--root`` names, else the team's repository or this package's checkout.

    Warns where the team's repository is for another version of this package.
    """
    root = Path(options.root) if options.root else project_root()
    if note := team_note(root):
        Console(stderr=True, highlight=False).print(f"· {note}", markup=False, soft_wrap=True)
    return root


def team_note(root: Path) -> str:
    """What there is to say about the version that a team's repository is for; empty if nothing.

    Raises:
        ExerciseError: its ``grade.toml`` has a mistake.
    """
    if not (root / TEAM).is_file():
        return ""
    table, _ = read_table(root / TEAM)
    version = table.text("version", r"\d+(\.\d+){0,2}", 'a version such as "0.1.0"')
    table.finish()
    if version == grader.__version__:
        return ""
    return (
        f"{root / TEAM} is for version {version} of the grader, and this is {grader.__version__}: "
        "read the changelog, run grade verify on each exercise, then change the number"
    )


def add_hook_options(made: argparse.ArgumentParser) -> None:
    """``--hook`` and ``--hook-secret``."""
    made.add_argument("--hook", metavar="URL", help="tell this address what happens, signed")
    made.add_argument(
        "--hook-secret", metavar="FILE", type=Path, help="the secret that signs what is told"
    )


def hook_of(options: argparse.Namespace) -> Hook | None:
    """The hook that the command line names, if it names one.

    Raises:
        UsageError: it is incomplete.
    """
    return hook_from(options.hook, options.hook_secret) if options.hook else None


def score(text: str) -> float:
    """An argument on the rubric's scale."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 1.0 <= value <= 4.0:  # noqa: PLR2004 - the scale of the rubric
        raise argparse.ArgumentTypeError(f"{text!r} is no score between 1 and 4")
    return value


def count(text: str) -> int:
    """An argument that counts submissions graded side by side."""
    if not text.isdigit() or not 1 <= int(text) <= 64:  # noqa: PLR2004 - user ids are kept apart
        raise argparse.ArgumentTypeError(f"{text!r} is no number between 1 and 64")
    return int(text)


def options_of_grade(*, help_option: bool = True) -> argparse.ArgumentParser:
    """The options of ``grade SUBMISSION…`` itself."""
    parser = argparse.ArgumentParser(prog="grade", add_help=help_option)
    parser.add_argument("--exercise", metavar="ID", help="which exercise it is for")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("results"), help="default: results"
    )
    parser.add_argument("--root", metavar="DIR", type=Path, help="checkout with the exercises")
    parser.add_argument(
        "--json", action="store_true", help="print the report (of several: one JSON line each)"
    )
    parser.add_argument(
        "--fail-under", metavar="SCORE", type=score, help="exit with 1 below this score (1-4)"
    )
    parser.add_argument("--quiet", action="store_true", help="one line for each submission")
    parser.add_argument("--verbose", action="store_true", help="list the passed tests as well")
    parser.add_argument(
        "--jobs", metavar="N", type=count, default=1, help="submissions graded side by side"
    )
    parser.add_argument("--seed", metavar="HEX", help="128-bit seed in place of the seed file")
    parser.add_argument("--version", action="version", version=f"grade {grader.__version__}")
    return parser
