"""What tests of this exercise share."""

from __future__ import annotations

import functools

import pytest
from data import loaded


@pytest.fixture
def pipeline(solution):
    """Loads one pipeline for all examples of a test: what fails there fails in the test's body."""
    return functools.cache(lambda: loaded(solution))
