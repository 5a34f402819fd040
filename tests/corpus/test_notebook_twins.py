"""The same code as a module and as a notebook gets the same levels.

A handful here; ``scripts/corpus.py --as-notebooks`` does it with every labelled solution.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.authoring import labelled

ROOT = Path(__file__).resolve().parent.parent.parent
TWINS = {
    "imputation": ("correct_verbose_junior", "mediocre", "poor", "strong", "wrong_fills_text"),
    "inference_pipeline": ("correct_modules", "wrong_no_idf"),
}

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]


def test_a_notebook_of_the_same_code_gets_what_the_modules_label_says() -> None:
    cases = [
        case
        for exercise, names in TWINS.items()
        for case in labelled.load_cases(exercise, ROOT)
        if case.name in names
    ]
    seed = labelled.seeds(1)[0]
    found = {}
    with labelled.Bench(2, print, root=ROOT, as_notebooks=True) as bench:
        for case, _, outcome in bench.grade((case, seed) for case in cases):
            found[case.name] = labelled.problems(case, outcome)
    assert found == {name: [] for names in TWINS.values() for name in names}
