"""Kills, cuts and full disks at random moments: no score is wrong, and nothing stays behind.

``scripts/faults.py`` does the same for many runs.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.scripts import load

if TYPE_CHECKING:
    from pathlib import Path

    from grader.sandbox.workbench import Workbench

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]


faults = load("faults")


@pytest.mark.parametrize("name", faults.FAULTS)
def test_a_fault_leaves_no_score_and_nothing_behind(
    name: str, bench: Workbench, tmp_path: Path
) -> None:
    assert faults.one(name, random.Random(name), tmp_path, bench.engine.api) == []
