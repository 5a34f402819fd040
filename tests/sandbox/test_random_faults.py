"""Kills, cuts and full disks at random moments: no score is wrong, and nothing stays behind.

``scripts/faults.py`` does the same for many runs.
"""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from grader.sandbox.workbench import Workbench

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]


def _script() -> Any:
    spec = importlib.util.spec_from_file_location("faults", ROOT / "scripts" / "faults.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["faults"] = module
    spec.loader.exec_module(module)
    return module


faults = _script()


@pytest.mark.parametrize("name", faults.FAULTS)
def test_a_fault_leaves_no_score_and_nothing_behind(
    name: str, bench: Workbench, tmp_path: Path
) -> None:
    assert faults.one(name, random.Random(name), tmp_path, bench.engine.api) == []
