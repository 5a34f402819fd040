"""``grade scorecard``: the stages that people score, as a form for the interview."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console

from grader.commands._common import checkout, parser
from grader.errors import UsageError
from grader.exercise.contract import SENIORITIES
from grader.scorecard.read import COMPETENCIES, FOLDER, load_competencies, load_scorecards
from grader.scorecard.sheet import candidate_sheet, competencies_sheet, interview_sheet

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["arguments", "run"]

_TABLE = "competencies"


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = parser(
        "scorecard",
        "Print a scorecard as a form in Markdown; without CARD, check all and list them.",
    )
    made.add_argument(
        "card",
        metavar="CARD",
        nargs="?",
        help=f"id of a scorecard, or {_TABLE} for the competency table",
    )
    made.add_argument("--for", dest="seniority", choices=SENIORITIES, help="this seniority alone")
    made.add_argument(
        "--candidate",
        action="store_true",
        help="what the candidate gets: tasks, preparation and rules, nothing that scores",
    )
    return made


def run(argv: Sequence[str]) -> int:
    """Print the form or the list."""
    options = arguments().parse_args(argv)
    root = checkout(options)
    console = Console(highlight=False)
    cards = load_scorecards(root)
    if options.card is None:
        for card in cards.values():
            low, high = card.minutes
            time = f"{low}" if low == high else f"{low}-{high}"
            line = f"{card.id:<18}{card.title}, {time} min, {len(card.categories)} categories"
            console.print(line, markup=False, soft_wrap=True)
        table = root / FOLDER / COMPETENCIES
        if table.is_file():
            count = len(load_competencies(table).rows)
            console.print(f"{_TABLE:<18}{count} competencies by seniority", markup=False)
        return 0
    sys.stdout.write(_form(root, options))
    return 0


def _form(root: Path, options: argparse.Namespace) -> str:
    name = options.card
    if name == _TABLE:
        return competencies_sheet(
            load_competencies(root / FOLDER / COMPETENCIES), options.seniority
        )
    cards = load_scorecards(root)
    if name not in cards:
        there = ", ".join((*cards, _TABLE))
        raise UsageError(f"there is no scorecard {name!r} in {root / FOLDER}; there are {there}")
    if options.candidate:
        return candidate_sheet(cards[name])
    return interview_sheet(cards[name], options.seniority)
