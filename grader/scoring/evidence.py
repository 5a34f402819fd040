"""The judge's records as typed evidence, exactly one for each collected test."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from grader.errors import JudgeError
from grader.models import Cause, CollectedTest, Evidence, Measurement, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["collected_tests", "evidence_of"]


def collected_tests(records: Sequence[Mapping[str, object]]) -> tuple[CollectedTest, ...]:
    """The tests that the judge collected.

    Raises:
        JudgeError: none, or two with one id.
    """
    tests = tuple(
        CollectedTest(
            _text(item, "id"),
            _text(item, "criterion"),
            _text(item, "title"),
            _text(item, "hint"),
            _text(item, "line") if "line" in item else "",
        )
        for item in records
    )
    if not tests:
        raise JudgeError("the judge collected no test")
    if len({test.id for test in tests}) != len(tests):
        raise JudgeError("the judge collected two tests with one id")
    return tests


def evidence_of(
    tests: Sequence[CollectedTest], records: Sequence[Mapping[str, object]]
) -> tuple[Evidence, ...]:
    """One piece of evidence for each collected test; one without a record has failed.

    Raises:
        JudgeError: a record of a test that was not collected, or two of one test.
    """
    by_id: dict[str, Mapping[str, object]] = {}
    for record in records:
        name = _text(record, "id")
        if name in by_id:
            raise JudgeError(f"the judge recorded {name} twice")
        by_id[name] = record
    unknown = set(by_id) - {test.id for test in tests}
    if unknown:
        raise JudgeError(f"the judge recorded tests that it did not collect: {sorted(unknown)}")
    return tuple(_evidence(test, by_id.get(test.id)) for test in tests)


def _evidence(test: CollectedTest, record: Mapping[str, object] | None) -> Evidence:
    if record is None:
        return Evidence(test, Status.FAILED, Cause.NO_RECORD, "the judge left no record of it")
    try:
        status, cause = Status(_text(record, "status")), Cause(_text(record, "cause"))
    except ValueError as error:
        raise JudgeError(f"the record of {test.id}: {error}") from None
    if (status is Status.PASSED) != (cause is Cause.NONE):
        raise JudgeError(f"the record of {test.id} has status {status} and cause {cause}")
    measurements = record.get("measurements")
    if not isinstance(measurements, list):
        raise JudgeError(f"the record of {test.id} has no measurements")
    return Evidence(
        test=test,
        status=status,
        cause=cause,
        message=_text(record, "message"),
        where=_text(record, "where"),
        calls=int(_number(record, "calls")),
        measurements=tuple(_measurement(item) for item in measurements),
        remarks=_remarks(record.get("remarks", []), test.id),
        seconds=_number(record, "wall_ns") / 1e9,
    )


def _remarks(items: object, name: str) -> tuple[str, ...]:
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise JudgeError(f"the record of {name} has remarks that are no list of texts")
    return tuple(items)


def _measurement(item: object) -> Measurement:
    if not isinstance(item, dict):
        raise JudgeError("a measurement is no object")
    threshold = item.get("threshold")
    return Measurement(
        name=_text(item, "name"),
        value=_number(item, "value"),
        unit=_text(item, "unit"),
        threshold=None if threshold is None else float(threshold),
        volatile=item.get("volatile") is True,
        better=_side(item.get("better", "low")),
    )


def _side(value: object) -> str:
    if value not in ("low", "high", "near"):
        raise JudgeError("a measurement does not say which side of its threshold is good")
    return str(value)


def _text(record: Mapping[str, object], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str):
        raise JudgeError(f"the judge's record has no text {key!r}")
    return value


def _number(record: Mapping[str, object], key: str) -> float:
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise JudgeError(f"the judge's record has no number {key!r}")
    return value
