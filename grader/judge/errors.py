"""What can go wrong in a call, as hidden tests see it.

``CandidateError`` is what the candidate's code raised; ``ChannelFailure`` means that there will be
no answer. Only the first is an :class:`Exception`: a test cannot catch the second by accident.
"""

from __future__ import annotations

import builtins
import re
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from grader.wire.errors import LISTED_ERRORS, MAX_MESSAGE, MAX_TYPE, MAX_WHERE

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "CandidateError",
    "ChannelFailure",
    "JudgeFault",
    "SuiteFault",
    "make_error",
    "raises",
]


class CandidateError(Exception):
    """The candidate's code raised.

    An instance is also an instance of every listed built-in that the candidate's error derived
    from, so ``isinstance(error, ValueError)`` holds for a ``class BadInput(ValueError)``.

    Attributes:
        type_name: the class's name, at most 80 characters.
        message: at most 2,000 characters.
        where: file, line and function of the submission, or "".
    """

    def __init__(self, type_name: str, message: str, where: str) -> None:
        super().__init__(message)
        self.type_name = type_name
        self.message = message
        self.where = where

    def __str__(self) -> str:
        return f"{self.type_name}: {self.message}"


class ChannelFailure(BaseException):
    """No answer came, or none that counts. The running test has failed already.

    Attributes:
        cause: ``died``, ``timeout``, ``memory``, ``bad-reply``, ``too-large``, ``wall-limit``
            or ``load-error``.
        detail: one sentence.
        where: file and line of the submission, or "".
    """

    def __init__(self, cause: str, detail: str, where: str = "") -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = detail
        self.where = where


class JudgeFault(BaseException):
    """The orchestrator broke the protocol, or a hidden test is wrong in itself: the run is void."""


class SuiteFault(JudgeFault):
    """A hidden test is wrong whatever the candidate answers."""


@lru_cache(maxsize=256)
def _class_for(bases: tuple[str, ...]) -> type[CandidateError]:
    types = [getattr(builtins, name) for name in bases]
    specific = [
        kind
        for kind in types
        if not any(other is not kind and issubclass(other, kind) for other in types)
    ]
    try:
        return type("CandidateError", (CandidateError, *specific), {})
    except TypeError:  # two built-ins whose layouts cannot be combined
        return type("CandidateError", (CandidateError, *specific[:1]), {})


def make_error(type_name: object, bases: object, message: object, where: object) -> CandidateError:
    """Build the error from an answer's fields.

    Raises:
        ChannelFailure: fields of other types than the protocol's.
    """
    if not (
        isinstance(type_name, str)
        and isinstance(message, str)
        and isinstance(where, str)
        and isinstance(bases, list)
        and all(type(base) is str for base in bases)
    ):
        raise ChannelFailure("bad-reply", "an error whose fields are not text")
    known = tuple(name for name in LISTED_ERRORS if name in bases)
    return _class_for(known)(type_name[:MAX_TYPE], message[:MAX_MESSAGE], where[:MAX_WHERE])


@contextmanager
def raises(
    expected: type[Exception] | tuple[type[Exception], ...], *, match: str | None = None
) -> Iterator[None]:
    """Hold that the candidate's code raises one of the listed built-in types.

    Unlike ``pytest.raises`` it accepts errors of the candidate's only: an error of the judge's
    own, a dead process or a time-out passes through.

    Args:
        expected: built-in types from the list that may cross; not ``Exception`` itself.
        match: a regular expression that the message must contain.

    Raises:
        AssertionError: nothing was raised, or another type, or another message.
        JudgeFault: ``expected`` holds a type that can never arrive.
    """
    kinds = expected if isinstance(expected, tuple) else (expected,)
    for kind in kinds:
        if kind.__name__ not in LISTED_ERRORS:
            raise SuiteFault(f"raises({kind.__name__}) can never hold; name a listed built-in")
    names = " or ".join(kind.__name__ for kind in kinds)
    try:
        yield
    except CandidateError as error:
        if not isinstance(error, kinds):
            text = f"expected {names}, but it raised {error}"
            raise AssertionError(text[:MAX_MESSAGE]) from None  # noqa: TRY004 - the test's verdict
        if match is not None and not re.search(match, error.message):
            raise AssertionError(
                f"{error.type_name} was raised, but its message does not say what is wrong: "
                f"{error.message[:200]!r}"
            ) from None
        return
    raise AssertionError(f"expected {names}, but nothing was raised")
