"""Fixtures that need a Docker engine: one connection and one worker for all tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

# On a busy machine drawing takes long, which says nothing about what is drawn.
settings.register_profile("tests", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("tests")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from grader.sandbox.images import Images
    from grader.sandbox.workbench import Workbench, Worker


def pytest_addoption(parser: pytest.Parser) -> None:
    """An option of the tests that grade labelled solutions."""
    parser.addoption(
        "--no-cache", action="store_true", help="grade each labelled solution again, changed or not"
    )


_TOLD = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def tell(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Say something at the end of the session."""
    return pytestconfig.stash.setdefault(_TOLD, []).append


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of pytest-xdist hands on what was told in it."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["told"] = session.config.stash.get(_TOLD, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what was told in another process."""
    told = getattr(node, "workeroutput", {}).get("told", [])
    node.config.stash.setdefault(_TOLD, []).extend(told)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was told."""
    for line in config.stash.get(_TOLD, []):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def no_cache(pytestconfig: pytest.Config) -> bool:
    """Whether each labelled solution is graded again."""
    return bool(pytestconfig.getoption("--no-cache"))


ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def bench() -> Workbench:
    """A connection to the engine."""
    from grader.sandbox.workbench import Workbench

    return Workbench(print)


@pytest.fixture(scope="session")
def images(bench: Workbench) -> Images:
    """The images of the base set, which the exercises share."""
    from grader.exercise.contract import load_exercise

    return bench.images_for(load_exercise("imputation", root=ROOT))


@pytest.fixture(scope="session")
def worker(bench: Workbench) -> Iterator[Worker]:
    """A judge container, and candidate containers started ahead."""
    from grader.sandbox.workbench import Worker

    with Worker(bench, ahead=True) as item:
        yield item
