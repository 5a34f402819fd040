"""A short run of the hostile runner and of damaged payloads; ``make fuzz`` does a million."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def fuzz() -> Any:
    """``scripts/fuzz.py`` as a module."""
    spec = importlib.util.spec_from_file_location("fuzz", ROOT / "scripts" / "fuzz.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz"] = module  # its data classes look themselves up there
    spec.loader.exec_module(module)
    return module


def test_damaged_payloads_are_values_or_decode_errors(fuzz: Any) -> None:
    found = fuzz.fuzz_payloads(5_000, random.Random(7))
    assert found.wrong == []
    assert found.passed > 100
    assert found.failed > 1_000


@pytest.mark.timeout(180)
def test_no_lie_of_the_runner_passes_a_test(fuzz: Any) -> None:
    found, memory = fuzz.fuzz_runner(1_500, random.Random(7))
    assert found.wrong == []
    assert found.passed > 50  # honest answers do pass
    assert found.failed > 50
    assert memory < fuzz.MEMORY_MIB
