"""Hold the two static categories against pieces that two readers labelled.

    python scripts/calibration.py [--part tuning|second|held-out] [--each]

`tests/corpus/calibration` has the pieces and `labels.csv`: the levels (1 Poor to 4 Excellent) of
two readers who saw neither each other's labels nor the machine's, and what both agreed on. A piece
counts as working code: what it would cost in hidden tests is not asked.

Agreement is Cohen's kappa with quadratic weights (Cohen 1968): 1 is perfect, 0 is chance, and a
difference of two levels weighs four times as much as one of one level.
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import dataclass
from pathlib import Path

from sklearn.metrics import cohen_kappa_score

from grader.analyst.analysis import analyse
from grader.analyst.notebook import Cell, Notebook
from grader.analyst.reach import Contract
from grader.exercise.contract import load_exercise
from grader.models import CollectedTest, Evidence, Status
from grader.scoring.evidence import collected_tests, evidence_of
from grader.scoring.score import score

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "corpus" / "calibration"
CATEGORIES = ("code_clarity", "python_proficiency")
STATIC = ("clarity", "proficiency", "notebook")


@dataclass(frozen=True)
class Piece:
    """One labelled piece; levels are (clarity, proficiency)."""

    name: str
    part: str
    first: tuple[int, int]
    second: tuple[int, int]
    agreed: tuple[int, int]


def pieces(part: str = "") -> list[Piece]:
    """The labelled pieces, or those of one part."""
    found = []
    with (FOLDER / "labels.csv").open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            first, second, agreed = (
                (int(row[f"clarity_{who}"]), int(row[f"proficiency_{who}"]))
                for who in ("one", "two", "agreed")
            )
            if part in ("", row["part"]):
                found.append(Piece(row["piece"], row["part"], first, second, agreed))
    return found


def machine(name: str) -> tuple[tuple[int, int], list[str]]:
    """The machine's levels of a piece, as of code that passes every test, and the failed checks."""
    exercise = load_exercise(name.partition("/")[0], root=ROOT)
    contract = Contract(
        exercise.entry,
        tuple(function.name for function in exercise.functions),
        {f.name: f.methods for f in exercise.functions if f.methods},
    )
    module = FOLDER / f"{name}.py"
    if module.exists():
        records = analyse({exercise.entry: module.read_bytes()}, contract)
    else:
        records = analyse({}, contract, _notebook(FOLDER / f"{name}.ipynb"))
    passed = [
        Evidence(CollectedTest(f"test_it.py::{criterion}", criterion, "", ""), Status.PASSED)
        for criterion in exercise.rubric.criteria
        if not criterion.startswith(STATIC)
    ]
    evidence = evidence_of(collected_tests(records), records)
    card = score((*passed, *evidence), exercise.rubric, exercise.expectation)
    levels = {category.id: int(category.level) for category in card.categories}
    failed = [str(item["id"]).rpartition("::")[2] for item in records if item["status"] == "failed"]
    return (levels[CATEGORIES[0]], levels[CATEGORIES[1]]), failed


def _notebook(path: Path) -> Notebook:
    cells, number = [], 0
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source, is_code = "".join(cell["source"]), cell["cell_type"] == "code"
        number += is_code
        count = cell.get("execution_count")
        plain = source if is_code else ""
        cells.append(Cell(cell["cell_type"], number if is_code else 0, source, plain, count))
    return Notebook(path.name, tuple(cells))


def kappa(ours: list[int], theirs: list[int]) -> float:
    """Quadratic weighted kappa of two lists of levels."""
    return float(cohen_kappa_score(ours, theirs, weights="quadratic", labels=[1, 2, 3, 4]))


def main() -> None:
    """Print the agreement by category."""
    parser = argparse.ArgumentParser(description="Agreement of the static checks with two readers.")
    parser.add_argument("--part", default="", choices=("", "tuning", "second", "held-out"))
    parser.add_argument("--each", action="store_true", help="name the pieces that differ")
    options = parser.parse_args()
    found = pieces(options.part)
    levels = {piece.name: machine(piece.name) for piece in found}
    for at, category in enumerate(CATEGORIES):
        ours = [levels[piece.name][0][at] for piece in found]
        agreed = [piece.agreed[at] for piece in found]
        readers = kappa([p.first[at] for p in found], [p.second[at] for p in found])
        same = sum(a == b for a, b in zip(ours, agreed, strict=True))
        lean = sum(a - b for a, b in zip(ours, agreed, strict=True)) / len(found)
        print(
            f"{category}: machine and agreed label κ {kappa(ours, agreed):.2f}, the same on {same} "
            f"of {len(found)}, {lean:+.2f} levels on average; reader and reader κ {readers:.2f}"
        )
    for piece in found if options.each else ():
        if levels[piece.name][0] != piece.agreed:
            got, failed = levels[piece.name]
            print(f"{piece.name}: machine {got}, agreed {piece.agreed}; {', '.join(failed)}")


if __name__ == "__main__":
    main()
