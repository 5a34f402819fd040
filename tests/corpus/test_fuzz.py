"""A short run of the hostile runner and of damaged payloads; ``make fuzz`` does a million."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.scripts import load


@pytest.fixture(scope="module")
def fuzz() -> Any:
    """``scripts/fuzz.py`` as a module."""
    return load("fuzz")


def test_damaged_payloads_are_values_or_decode_errors(fuzz: Any) -> None:
    found = fuzz.fuzz_payloads(5_000, random.Random(7))
    assert found.wrong == []
    assert found.passed > 100
    assert found.failed > 1_000


@pytest.mark.timeout(180)
def test_no_lie_of_the_runner_passes_a_test(fuzz: Any) -> None:
    found, memory = fuzz.fuzz_runner(10_000, random.Random(7))
    assert found.wrong == []
    assert found.passed > 50  # honest answers do pass
    assert found.failed > 50
    assert found.lies > 50
    assert memory < fuzz.MEMORY_MIB
