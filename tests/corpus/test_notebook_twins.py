"""The same code as a module and as a notebook gets the same levels.

A handful here; ``scripts/corpus.py --as-notebooks`` does it with every labelled solution.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TWINS = {
    "imputation": ("correct_verbose_junior", "mediocre", "poor", "strong", "wrong_fills_text"),
    "inference_pipeline": ("correct_modules", "wrong_no_idf"),
}

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def corpus() -> Any:
    """``scripts/corpus.py`` as a module; another test may have loaded it."""
    if "corpus" not in sys.modules:
        path = ROOT / "scripts" / "corpus.py"
        spec = importlib.util.spec_from_file_location("corpus", path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules["corpus"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["corpus"])
    return sys.modules["corpus"]


def test_a_notebook_of_the_same_code_gets_what_the_modules_label_says(corpus: Any) -> None:
    cases = [
        case
        for exercise, names in TWINS.items()
        for case in corpus.load_cases(exercise)
        if case.name in names
    ]
    seed = corpus.seeds(1)[0]
    found = {}
    with corpus.Bench(1, print, as_notebooks=True) as bench:
        for case, _, outcome in bench.grade((case, seed) for case in cases):
            found[case.name] = corpus.problems(case, outcome)
    assert found == {name: [] for names in TWINS.values() for name in names}
