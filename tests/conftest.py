"""Fixtures that need a Docker engine: one connection and one worker for all tests of a module."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

# On a busy machine drawing takes long, which says nothing about what is drawn.
settings.register_profile("tests", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("tests")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.sandbox.workbench import Workbench, Worker

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def bench() -> Workbench:
    """A connection to the engine, with the images built."""
    from grader.sandbox.workbench import Workbench

    return Workbench(print)


@pytest.fixture(scope="module")
def worker(bench: Workbench) -> Iterator[Worker]:
    """A judge container, and candidate containers started ahead."""
    from grader.sandbox.workbench import Worker

    with Worker(bench, ahead=True) as item:
        yield item
