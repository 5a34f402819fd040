"""The sandbox tried from within: probes in a real candidate container and a real judge container.

`grader.sandbox.hardening.verify` compares the engine's word with what was asked. This runs
`grader.sandbox.probe` under exactly those settings, only with another command, and so finds what
an engine promises and does not do.
"""

from __future__ import annotations

import dataclasses
import time
from importlib.resources import files
from typing import TYPE_CHECKING

from grader.errors import SandboxError
from grader.sandbox.doctor import Finding
from grader.sandbox.hardening import ContainerSpec
from grader.sandbox.stream import StreamClosedError, StreamTimeoutError
from grader.wire.frames import FrameError, unpack_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.models import Limits
    from grader.sandbox.engine import Engine
    from grader.sandbox.images import Images

__all__ = ["probe_container", "self_check"]

_SECONDS = 60.0
_LARGEST = 1 << 20
_SLOT = 1023  # no worker gets that far
_ENDING = ("processes", "memory")  # limits at which gVisor ends the whole container
_KNOWN_LACKS = {("Podman", "limit of scratch files")}  # each counts as memory, which has a limit


def self_check(engine: Engine, images: Images, limits: Limits) -> Iterator[Finding]:
    """Probe both kinds of container.

    Args:
        engine: where they run.
        images: what they run.
        limits: of the exercise whose candidate container is probed.

    Yields:
        One finding a probe; an ``error`` is something that the inside could do and must not.

    Raises:
        SandboxError: a container could not be probed at all.
    """
    specs = (
        ContainerSpec.candidate(images.candidate, limits, slot=_SLOT, labels={}),
        ContainerSpec.judge(images.judge, slot=_SLOT, labels={}),
    )
    for spec in specs:
        for name, holds, text in probe_container(engine, spec):
            state, fix = "ok", ""
            if holds is None:
                state, fix = "warning", "nothing to do where a run that ends early is enough"
            elif not holds and (engine.facts.product, name) in _KNOWN_LACKS:
                state, fix = "warning", "grade with Docker where this matters"
            elif not holds:
                state, fix = (
                    "error",
                    "do not grade here; `grade doctor` tells what the engine lacks",
                )
            yield Finding(f"{spec.role}: {name}", state, text, fix)


def probe_container(engine: Engine, spec: ContainerSpec) -> list[tuple[str, bool | None, str]]:
    """Run the probes under a specification.

    Returns:
        Name of the probe, whether the sandbox holds there, and what was seen. With gVisor a limit's
        probe may end its container in place of an answer: then it is None.

    Raises:
        SandboxError: no answer came.
    """
    found: list[tuple[str, bool | None, str]] = [*_ask(engine, spec, "all")]
    for limit in _ENDING:
        try:
            found += _ask(engine, spec, limit)
        except _EndedError:
            if not engine.facts.runtime.startswith("runsc"):
                raise
            told = "gVisor ended the whole container when the limit was tried"
            found.append((f"limit of {limit}", None, told))
    return found


class _EndedError(SandboxError):
    """The container ended without an answer."""


def _ask(engine: Engine, spec: ContainerSpec, what: str) -> list[tuple[str, bool, str]]:
    source = (files("grader.sandbox") / "probe.py").read_text(encoding="utf-8")
    scratch = [f"{path}={size}" for path, size in spec.scratch.items()]
    command = ("-c", source, what, str(spec.memory), str(spec.pids), str(spec.cpus), *scratch)
    with engine.start(dataclasses.replace(spec, command=command), lifetime=_SECONDS) as box:
        try:
            frame = box.stream.read_frame(deadline=time.monotonic() + _SECONDS, limit=_LARGEST)
            told = unpack_json(frame.body)["probes"]
            if not isinstance(told, list):
                raise FrameError("no list of probes")  # noqa: TRY301
            return [(str(name), bool(holds), str(text)) for name, holds, text in told]
        except (StreamClosedError, StreamTimeoutError, FrameError, KeyError, ValueError) as error:
            tail = box.stream.stderr_tail.decode("utf-8", "replace").strip()
            kind = _EndedError if isinstance(error, StreamClosedError) else SandboxError
            raise kind(
                f"the {spec.role} container could not be probed ({error}): {tail[-1000:]}"
            ) from error
