"""The same seed gives the same examples, on every run, machine and set of imported modules."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.internal.conjecture import engine, providers

if TYPE_CHECKING:
    import pytest

__all__ = ["configure_hypothesis", "generator", "is_flaky", "seed_item"]

MAX_SHRINKS = 40
_FOREVER = 1 << 40


def configure_hypothesis() -> None:
    """No database, no clock, no constants mined from modules; shrinking bounded by calls.

    Raises:
        RuntimeError: this Hypothesis release moved what has to be set.
    """
    for module, name in (
        (engine, "MAX_SHRINKS"),
        (engine, "MAX_SHRINKING_SECONDS"),
        (providers, "_get_local_constants"),
        (providers, "_local_constants"),
    ):
        if not hasattr(module, name):
            raise RuntimeError(
                f"hypothesis {hypothesis.__version__} has no {module.__name__}.{name}; "
                "pin the release that grader.judge.determinism was written for"
            )
    engine.MAX_SHRINKS = MAX_SHRINKS
    engine.MAX_SHRINKING_SECONDS = _FOREVER
    # Constants mined from local modules would make examples depend on what else is imported.
    empty = providers._local_constants  # noqa: SLF001 - there is no public switch
    providers._get_local_constants = lambda: empty  # noqa: SLF001
    settings.register_profile(
        "grader",
        database=None,
        deadline=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        max_examples=25,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("grader")


def _digest(seed: str, purpose: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{purpose}".encode()).digest()


def seed_item(item: pytest.Item, seed: str) -> None:
    """Give a Hypothesis test a seed of its own, from the run's seed and its id."""
    function = getattr(item, "function", None)
    if function is not None and hypothesis.is_hypothesis_test(function):
        number = int.from_bytes(_digest(seed, item.nodeid)[:16], "big")
        hypothesis.seed(number)(function)


def generator(seed: str, purpose: str) -> np.random.Generator:
    """A NumPy generator with a 128-bit key; one independent stream for each purpose."""
    key = int.from_bytes(_digest(seed, f"rng {purpose}")[:16], "big")
    return np.random.Generator(np.random.Philox(key=key))


def is_flaky(error: BaseException | None) -> bool:
    """Whether Hypothesis saw one input lead to two outcomes."""
    return isinstance(error, Flaky)
