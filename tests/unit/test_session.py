from __future__ import annotations

import importlib
import sys
import threading
import time
from pathlib import Path

import pytest

from grader.candidate.described import describe_error
from grader.judge.errors import CandidateError
from grader.judge.local import LocalChannel
from grader.judge.proxy import RemoteObject, Solution

CODE = """
import sys
from dataclasses import dataclass

@dataclass
class Answer:
    number: int

    def doubled(self):
        return 2 * self.number

class Counts(dict):
    def total(self):
        return sum(self.values())

def counts():
    return [Counts(a=1, b=2)]

def total(counts):
    return counts.total()

def answer(number):
    return Answer(number)

def inverse(number):
    return 1 / number

def count(numbers):
    yield from map(answer, numbers)

def interval():
    return sys.getswitchinterval()
"""


class Slow:
    """Numbers that take a moment to come; in one process threads would meet in a generator."""

    def __init__(self, count: int) -> None:
        self._numbers, self._lock = iter(range(count)), threading.Lock()

    def __iter__(self) -> Slow:
        return self

    def __next__(self) -> int:
        with self._lock:
            time.sleep(0.002)
            return next(self._numbers)


@pytest.fixture
def solution(tmp_path: Path) -> Solution:
    (tmp_path / "solution.py").write_text(CODE)
    return Solution(LocalChannel(tmp_path))


def test_each_item_gets_its_answer(solution: Solution) -> None:
    answers = solution.each("answer", [3, 1, 2])
    assert [answer.number for answer in answers] == [3, 1, 2]  # type: ignore[attr-defined]
    assert solution.calls == 1


def test_methods_of_what_came_can_be_called(solution: Solution) -> None:
    (answer,) = solution.each("answer", [3])
    assert isinstance(answer, RemoteObject)
    assert answer.doubled() == 6  # type: ignore[operator]


def test_first_error_ends_the_calls(solution: Solution) -> None:
    with pytest.raises(CandidateError, match="ZeroDivisionError"):
        solution.each("inverse", [1, 0, 2])


def test_dict_of_another_class_comes_back_as_itself(solution: Solution) -> None:
    (counts,) = solution.counts()  # type: ignore[misc]
    assert isinstance(counts, dict)
    assert counts == {"a": 1, "b": 2}
    assert solution.total(counts) == 3


def test_items_of_a_generator_come_at_once(solution: Solution) -> None:
    results = solution.count([5, 6])
    assert isinstance(results, RemoteObject)
    numbers = [item.number for item in solution.items(results)]  # type: ignore[attr-defined]
    assert numbers == [5, 6]
    assert solution.calls == 2


def test_items_of_what_has_none_are_an_error(solution: Solution) -> None:
    with pytest.raises(CandidateError, match="TypeError"):
        solution.items(solution.make(5))


def test_threads_take_turns_quickly_while_calls_are_repeated(solution: Solution) -> None:
    usual = sys.getswitchinterval()
    found = solution.repeat(2, threads=2).interval()
    assert found.values() == [pytest.approx(1e-4)] * 2  # type: ignore[attr-defined]
    assert sys.getswitchinterval() == usual


def test_threads_share_a_stream_and_read_what_they_get(solution: Solution) -> None:
    found = solution.repeat(4, threads=4, items=True).count(Slow(40)).values()  # type: ignore[attr-defined]
    sizes = [len(part) for part in found]
    assert sum(sizes) == 40
    assert max(sizes) < 40


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("OSError(errno.ENETUNREACH, 'unreachable')", "the sandbox has no network"),
        ("socket.gaierror(-3, 'again')", "the sandbox has no network"),
        ("urllib.error.URLError(socket.gaierror(-3, 'again'))", "the sandbox has no network"),
        ("OSError(errno.EROFS, 'read-only')", "in the sandbox only /tmp and the folder"),
        ("locale.Error('unsupported locale setting')", "the sandbox has the locales C.UTF-8"),
        ("BlockingIOError(errno.EAGAIN, 'try again')", ""),
        ("ValueError('no')", ""),
    ],
)
def test_an_error_that_the_sandbox_causes_says_so(raised: str, said: str) -> None:
    names = {name: importlib.import_module(name) for name in ("errno", "locale", "socket")}
    names["urllib"] = importlib.import_module("urllib.error") and sys.modules["urllib"]
    message = str(describe_error(eval(raised, names), Path("/x"))[3])
    assert said in message
    assert ("sandbox" in message) == bool(said)
