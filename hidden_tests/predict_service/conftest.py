"""What tests of this exercise share."""

from __future__ import annotations

import functools

import pytest
from data import served


@pytest.fixture
def service(solution):
    """Makes one application for all examples of a test: what fails there fails in its body."""
    return functools.cache(lambda: served(solution))
