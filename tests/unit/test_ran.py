"""Static checks count only where nothing but reviewed code ran."""

from __future__ import annotations

import pytest

from grader.sandbox.ran import RanCode, hold_against
from grader.wire.frames import (
    Frame,
    FrameError,
    Kind,
    pack_ended,
    pack_json,
    unpack_ended,
    unpack_json,
)

PASSED = {"status": "passed", "cause": "none", "message": "", "where": "", "measurements": [1]}
FRAMES = [
    Frame(Kind.COLLECTED, 0, pack_json({"tests": []})),
    *(
        Frame(Kind.EVIDENCE, 1, pack_json({"id": name, "criterion": name, **PASSED}))
        for name in ("clarity_lint", "notebook_hygiene")
    ),
]


def held(ran: RanCode, read: list[str] | None) -> list[tuple[object, object]]:
    frames = hold_against(FRAMES, ran, read, {"clarity_lint"})
    told = [unpack_json(frame.body) for frame in frames if frame.kind is Kind.EVIDENCE]
    return [(item["status"], item["message"]) for item in told]


def test_reviewed_files_alone_change_nothing() -> None:
    ran = RanCode()
    ran.add([("loaded", "solution.py")])
    assert hold_against(FRAMES, ran, ["solution.py", "other.py"], {"clarity_lint"}) == FRAMES


def test_a_file_that_nobody_read_fails_the_checks_on_code() -> None:
    ran = RanCode()
    ran.add([("loaded", "solution.py"), ("loaded", "hidden.py")])
    message = "code ran that was not reviewed: a file was loaded that no import names: hidden.py"
    assert held(ran, ["solution.py"]) == [("failed", message), ("passed", "")]


def test_a_report_fails_them_with_its_place() -> None:
    ran = RanCode()
    ran.add([("text was compiled to code", "solution.py:3")])
    ran.add([("text was compiled to code", "solution.py:3")])
    message = "code ran that was not reviewed: text was compiled to code: solution.py:3"
    assert held(ran, None)[0] == ("failed", message)


def test_an_end_that_tells_nothing_fails_them() -> None:
    ran = RanCode()
    ran.untold()
    assert held(ran, ["solution.py"])[0][0] == "failed"


def test_an_end_of_a_test_is_read_as_it_was_written() -> None:
    body = pack_ended(late=True, reports=[["loaded", "solution.py"]], printed=b"said")
    assert unpack_ended(body) == (True, [("loaded", "solution.py")], b"said")
    assert unpack_ended(pack_ended(late=False, reports=[], printed=b"")) == (False, [], b"")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\x00\x00\x00\x05{}",
        b"\x00\x00\x00\x00\x02[]",
        pack_ended(late=False, reports=[["one"]], printed=b""),
        pack_ended(late=False, reports=[["a", 1]], printed=b""),  # type: ignore[list-item]
    ],
)
def test_what_is_no_end_of_a_test_is_refused(body: bytes) -> None:
    with pytest.raises(FrameError):
        unpack_ended(body)
