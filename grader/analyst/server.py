"""PID 1 of the analyst container: takes one submission, reviews it in a child, and ends.

It says which checks there are before it sees the submission. The child only reads text, but the
parser it reads with was not made for hostile text: whatever happens to the child ends as failed
checks. This process looks at nothing but the child's records.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
from typing import TYPE_CHECKING, NoReturn

from grader.analyst.analysis import (
    Record,
    analyse,
    collected,
    contract_of,
    failures,
    files_read,
)
from grader.analyst.notebook import notebook_of
from grader.wire.frames import (
    HEADER,
    Frame,
    FrameError,
    Kind,
    pack_json,
    read_header,
    unpack_bundle,
)
from grader.wire.pipes import IDLE_SECONDS, be_killed_first, read_exact, set_dumpable, write_all

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SECONDS", "main", "page", "review"]

SECONDS = 10.0
_MEMORY = 640 << 20
_REPORT = 1 << 20
_PAGE = 24 << 20
_LARGEST = 512 << 20
_BROUGHT_DOWN = "the code brought the review down"


def review(body: bytes, *, seconds: float = SECONDS) -> list[Record]:
    """Review one submission in a child process: one record a check, whatever happens to it."""
    return review_and_files(body, seconds=seconds)[0]


def review_and_files(
    body: bytes, *, seconds: float = SECONDS
) -> tuple[list[Record], list[str] | None]:
    """The same, and the files that were read; None where the review failed."""
    notebook = is_notebook(body)
    report, cause = _from_child(_review_bytes, body, seconds, _REPORT)
    if cause == "timeout":
        return failures(cause, "the review of the code took too long", notebook=notebook), None
    if cause:
        return failures(cause, _BROUGHT_DOWN, notebook=notebook), None
    records, _, read = report.partition(b"\n")
    return _checked(records, notebook=notebook), _paths(read)


def page(body: bytes, *, seconds: float = SECONDS) -> bytes:
    """A notebook for the report, made in a child; empty where that fails.

    Returns:
        A line that says how it departs from its nbformat, then a fragment of HTML.
    """
    made, cause = _from_child(_page_bytes, body, seconds, _PAGE)
    return b"" if cause else made


def is_notebook(body: bytes) -> bool:
    """Whether the host says that this submission is a notebook."""
    return isinstance(unpack_bundle(body)[0].get("notebook"), dict)


def _from_child(
    job: Callable[[bytes], bytes], body: bytes, seconds: float, limit: int
) -> tuple[bytes, str]:
    """What a job wrote in a child of its own, and why it did not end well, if it did not."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _child(job, body, writer, seconds)
    os.close(writer)
    deadline = time.monotonic() + seconds
    report = bytearray()
    cause = ""
    while not cause:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([reader], [], [], left)[0]:
            cause = "timeout"
            break
        data = os.read(reader, 1 << 16)
        if not data:
            break
        report += data
        if len(report) > limit:
            cause = "died"
    os.close(reader)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status and not cause:
        cause = "memory" if status == -signal.SIGKILL else "died"
    return bytes(report), cause


def _review_bytes(body: bytes) -> bytes:
    meta, files = unpack_bundle(body)
    told = files, contract_of(meta), notebook_of(meta)
    return pack_json(analyse(*told)) + b"\n" + pack_json(files_read(*told))


def _page_bytes(body: bytes) -> bytes:
    from grader.analyst.conform import departure  # noqa: PLC0415 - for notebooks only
    from grader.analyst.page import fragment  # noqa: PLC0415

    meta, files = unpack_bundle(body)
    notebook, told = notebook_of(meta), meta["notebook"]
    if notebook is None or not isinstance(told, dict):
        return b""
    page = fragment(notebook, told["outputs"], told["stored"])
    return f"{departure(files[notebook.path])}\n{page}".encode("utf-8", "replace")


def _checked(report: bytes, *, notebook: bool) -> list[Record]:
    """The child's records, if they are one for each check and nothing else."""
    try:
        records = json.loads(report)
    except (ValueError, RecursionError):
        records = None
    wanted = [item["id"] for item in collected(notebook=notebook)]
    if not isinstance(records, list) or not all(isinstance(item, dict) for item in records):
        return failures("died", _BROUGHT_DOWN, notebook=notebook)
    if [item.get("id") for item in records] != wanted:
        return failures("died", _BROUGHT_DOWN, notebook=notebook)
    return records


def _paths(report: bytes) -> list[str] | None:
    """The child's list of files, if it is one."""
    try:
        read = json.loads(report)
    except (ValueError, RecursionError):
        return None
    good = isinstance(read, list) and all(isinstance(path, str) for path in read)
    return read if good else None


def _child(job: Callable[[bytes], bytes], body: bytes, writer: int, seconds: float) -> NoReturn:
    code = 1
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        cpu = int(seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
        be_killed_first()
        write_all(writer, job(body))
        code = 0
    except BaseException as error:  # noqa: BLE001 - the parent turns it into failed checks
        with contextlib.suppress(OSError):
            os.write(2, f"{type(error).__name__}: {error}\n".encode("utf-8", "replace")[:2000])
    finally:
        os._exit(code)


def _read(wire: int) -> Frame | None:
    header = read_exact(wire, HEADER.size, deadline=time.monotonic() + IDLE_SECONDS)
    if header is None:
        return None
    length, deadline_ms, number, kind = read_header(header, limit=_LARGEST)
    body = read_exact(wire, length, deadline=time.monotonic() + IDLE_SECONDS)
    return None if body is None else Frame(kind, number, body, deadline_ms)


def _write(wire: int, frame: Frame) -> None:
    write_all(wire, frame.pack())


def main() -> None:
    """Entry point of the analyst image."""
    set_dumpable(value=False)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    wire_in, wire_out = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    with contextlib.suppress(BrokenPipeError):
        _write(wire_out, Frame(Kind.COLLECTED, 0, pack_json({"tests": collected(notebook=True)})))
        frame = _read(wire_in)
        if frame is not None:
            if frame.kind is not Kind.SUBMISSION:
                raise FrameError(f"{frame.kind.name} is not for the analyst")
            records, read = review_and_files(frame.body)
            for record in records:
                _write(wire_out, Frame(Kind.EVIDENCE, frame.number, pack_json(record)))
            if is_notebook(frame.body):
                _write(wire_out, Frame(Kind.PAGE, frame.number, page(frame.body)))
            told = pack_json({"exit": 0, "read": read})
            _write(wire_out, Frame(Kind.FINISHED, frame.number, told))
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
