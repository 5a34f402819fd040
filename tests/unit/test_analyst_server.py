"""Whatever happens to the reviewing child, PID 1 has one record for each check."""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from typing import TYPE_CHECKING, NoReturn

import pytest

from grader.analyst import server
from grader.analyst.analysis import collected
from grader.wire.frames import pack_bundle

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")

BODY = pack_bundle(
    {"entry": "solution.py", "names": ["impute"]}, {"solution.py": b"def impute(df): return df\n"}
)


def killed(*_: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def crashed(*_: object) -> NoReturn:
    faulthandler.disable()  # its report would be noise
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError


def stuck(*_: object) -> NoReturn:
    while True:
        time.sleep(1)


def hungry(*_: object) -> list[bytes]:
    return [bytes(1 << 30)]


def raising(*_: object) -> NoReturn:
    raise ValueError("no")


def lying(*_: object) -> list[dict[str, object]]:
    return [{"id": "static::clarity_lint::names-used", "status": "passed"}]


def flooding(*_: object) -> list[dict[str, object]]:
    return [{"id": "x" * (4 << 20)}]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "cause"),
    [
        (killed, "memory"),
        (crashed, "died"),
        (stuck, "timeout"),
        (hungry, "died"),
        (raising, "died"),
        (lying, "died"),
        (flooding, "died"),
    ],
)
def test_end_of_the_child_fails_every_check(
    monkeypatch: pytest.MonkeyPatch, act: Callable[..., object], cause: str
) -> None:
    monkeypatch.setattr(server, "analyse", act)
    told = server.review(BODY, seconds=1.0)
    assert [item["id"] for item in told] == [item["id"] for item in collected()]
    assert {(item["status"], item["cause"]) for item in told} == {("failed", cause)}


def test_review_of_plain_code_has_passed_checks() -> None:
    told = server.review(BODY)
    assert {item["status"] for item in told} == {"passed", "failed"}


def test_two_reviews_are_equal() -> None:
    assert server.review(BODY) == server.review(BODY)
