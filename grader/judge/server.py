"""PID 1 of the judge container: stores suites, and forks one process for each run.

The child runs pytest and has the wire to itself meanwhile. The parent waits, and ends everything
when the orchestrator goes away.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import io
import os
import select
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from grader.judge.plugin import Judge
from grader.judge.remote import RemoteChannel, Wire
from grader.wire.frames import (
    ANSWERED_FAULT,
    Frame,
    FrameError,
    Kind,
    pack_json,
    unpack_bundle,
    unpack_json,
)
from grader.wire.pipes import set_dumpable, widen

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["main"]

SUITES = Path("/suite")
_FAULT = 20_000
_KINDS = {"collected": Kind.COLLECTED, "evidence": Kind.EVIDENCE}


def _store(frame: Frame) -> None:
    meta, files = unpack_bundle(frame.body)
    folder = SUITES / str(meta["digest"])
    folder.mkdir()
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    _import_ahead(files)


def _import_ahead(files: Mapping[str, bytes]) -> None:
    """Import what a suite imports besides its own modules, once for all of its runs.

    A run is a fork of this process, and scikit-learn alone takes two seconds to import. The suite's
    own modules are left to each run.
    """
    own = {name.partition("/")[0].removesuffix(".py") for name in files}
    wanted: set[str] = set()
    for name, data in files.items():
        if name.endswith(".py"):
            for node in ast.walk(ast.parse(data)):
                if isinstance(node, ast.Import):
                    wanted.update(alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    wanted.add(node.module)
    for module in sorted(wanted):
        if module.partition(".")[0] not in own:
            with contextlib.suppress(ImportError):  # collecting the suite tells it better
                importlib.import_module(module)
    gc.collect()
    gc.freeze()


def _run_suite(wire: Wire, config: dict[str, object]) -> tuple[list[str], list[tuple[str, str]]]:
    """Run one suite on one candidate.

    Returns:
        The judge's own faults, none if all is well; and those that followed an answer of the
        candidate's, with the test.
    """
    folder = SUITES / str(config["suite"])
    channel = RemoteChannel(wire, int(str(config["call_ms"])), int(str(config["load_ms"])))
    judge = Judge(
        channel,
        str(config["seed"]),
        tell=lambda kind, item: channel.tell(_KINDS[kind], item),
        charge=config.get("charge") is True,
        charged=_texts(config.get("charged")),
    )
    ini = folder / "pytest.ini"
    ini.write_text("[pytest]\n")
    os.chdir(folder)
    options = [f"-c{ini}", f"--rootdir={folder}", "--assert=plain", "--tb=native", "-q"]
    options += ["--strict-markers", "-W", "ignore", "-p", "no:cacheprovider"]
    options += ["-p", "grader.judge.plugin", "--no-header", "--capture=no", str(folder)]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = pytest.main(options, plugins=[_Named(judge)])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        judge.faults.append(f"pytest ended with {code!r}: {output.getvalue()[-_FAULT:]}")
    return judge.faults, judge.answered


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


class _Named:
    """Registers the judge under the name that fixtures look it up by."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    def pytest_configure(self, config: pytest.Config) -> None:
        """Register it."""
        config.pluginmanager.register(self._judge, "grader-judge")


def _child(wire: Wire, frame: Frame) -> NoReturn:
    code = 1
    try:
        faults, answered = _run_suite(wire, unpack_json(frame.body))
        if faults or not answered:
            sys.stderr.write("\n".join(faults)[:_FAULT])
            code = 10 if faults else 0
        else:
            test, fault = answered[0]
            sys.stderr.write(f"{test}\n{fault}"[:_FAULT])
            code = ANSWERED_FAULT
    except EOFError:
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, the run is void and this says why
        sys.stderr.write(traceback.format_exc()[-_FAULT:])
    finally:
        sys.stderr.flush()
        os._exit(code)


def _run(wire: Wire, wire_in: int, frame: Frame) -> dict[str, object]:
    """Fork the run, wait for it, and watch the wire's other end meanwhile."""
    fault_r, fault_w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(fault_w, 2)
        os.close(fault_r)
        os.close(fault_w)
        _child(wire, frame)
    os.close(fault_w)
    # SIGKILL for the child if this process dies; PID 1's death would do the same.
    poller = select.poll()
    poller.register(fault_r, select.POLLIN)
    poller.register(wire_in, 0)  # hang-up only: the child reads the frames
    fault = bytearray()
    open_pipe = True
    while open_pipe:
        for fd, events in poller.poll():
            if fd == wire_in and events & (select.POLLHUP | select.POLLERR):
                os._exit(0)
            if fd == fault_r:
                data = os.read(fault_r, 1 << 16)
                open_pipe = bool(data)
                fault += data[: _FAULT - len(fault)]
    os.close(fault_r)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return {"exit": code, "fault": fault.decode("utf-8", "replace")}


def main() -> None:
    """Entry point of the judge image."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    set_dumpable(value=False)  # nobody looks inside
    for folder in SUITES.iterdir():
        raise FrameError(f"a fresh judge has a suite already: {folder}")
    wire_in, wire_out = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    sys.dont_write_bytecode = True
    gc.collect()
    gc.freeze()
    widen(wire_in, wire_out)
    wire = Wire(wire_in, wire_out)
    wire.write(Frame(Kind.JUDGE_READY, 0))
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            frame = wire.read()
            if frame.kind is Kind.SUITE:
                _store(frame)
                wire.write(Frame(Kind.SUITE_STORED, frame.number))
            elif frame.kind is Kind.RUN:
                told = _run(wire, wire_in, frame)
                wire.write(Frame(Kind.FINISHED, frame.number, pack_json(told)))
            else:
                raise FrameError(f"{frame.kind.name} is not for the judge")


if __name__ == "__main__":
    main()
