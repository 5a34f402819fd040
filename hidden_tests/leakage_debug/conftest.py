"""Fixtures of this suite."""

from __future__ import annotations

import pytest
from experiment import Experiment


@pytest.fixture(scope="session")
def memory():
    """What tests of one run share."""
    return {}


@pytest.fixture
def experiment(solution, rng_for, memory):
    """The submission's experiment."""
    return Experiment(solution, rng_for, memory)
