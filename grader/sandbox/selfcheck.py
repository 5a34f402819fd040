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
    from collections.abc import Iterator, Sequence

    from grader.models import Limits
    from grader.sandbox.engine import Engine
    from grader.sandbox.images import Images

__all__ = ["EndedError", "probe_container", "self_check"]

_SECONDS = 60.0
_LARGEST = 1 << 20
_SLOT = 1023  # no worker gets that far
_ENDING = ("processes", "memory")  # limits at which gVisor ends the whole container
_OWN_KERNEL = "none needed: gVisor's own kernel answers this, and the host's is behind it"
_FILES = (
    "grade with runc on Docker where this matters: each file counts as memory, which has a limit"
)
_KNOWN_LACKS = {  # product or runtime → probe → what to do about it
    "Podman": {"limit of scratch files": _FILES},
    "runsc": {
        "no new privileges": _OWN_KERNEL,
        "seccomp": _OWN_KERNEL,
        "kernel calls": _OWN_KERNEL,
        "sockets": _OWN_KERNEL,
        "devices": _OWN_KERNEL,
        "limit of CPU": "none needed: its clock counts waiting; the host's control group limits it",
        "limit of scratch files": _FILES,
        **dict.fromkeys(
            [f"limit of {name}" for name in _ENDING],
            "nothing where a run that ends early is enough",
        ),
    },
}


def self_check(
    engine: Engine, images: Images, limits: Limits, *, fill_judge: bool = True
) -> Iterator[Finding]:
    """Probe both kinds of container.

    Args:
        engine: where they run.
        images: what they run.
        limits: of the exercise whose candidate container is probed.
        fill_judge: try the judge's limit of memory, too: 3 GiB, some ten seconds. No candidate's
            code gets there, so a machine that grades meanwhile is better off without.

    Yields:
        One finding a probe; an ``error`` is something that the inside could do and must not.

    Raises:
        SandboxError: a container could not be probed at all.
    """
    specs = (
        ContainerSpec.candidate(images.candidate, limits, slot=_SLOT, labels={}),
        ContainerSpec.judge(images.judge, slot=_SLOT, labels={}),
    )
    lacks = _KNOWN_LACKS.get(engine.facts.product, {})
    if _is_gvisor(engine):
        lacks = lacks | _KNOWN_LACKS["runsc"]
    for spec in specs:
        ending = _ENDING if fill_judge or spec.role != "judge" else ("processes",)
        for name, holds, text in probe_container(engine, spec, ending):
            if holds:
                yield Finding(f"{spec.role}: {name}", "ok", text)
            elif name in lacks:
                yield Finding(f"{spec.role}: {name}", "warning", text, lacks[name])
            else:
                fix = "do not grade here; `grade doctor` tells what the engine lacks"
                yield Finding(f"{spec.role}: {name}", "error", text, fix)


def probe_container(
    engine: Engine, spec: ContainerSpec, ending: Sequence[str] = _ENDING
) -> list[tuple[str, bool, str]]:
    """Run the probes under a specification.

    Args:
        engine: where.
        spec: of the container.
        ending: limits to try at which a runtime may end the container.

    Returns:
        Name of the probe, whether the sandbox holds there, and what was seen. With gVisor a limit's
        probe may end its container in place of an answer; then it does not hold.

    Raises:
        SandboxError: no answer came.
    """
    found = [*_ask(engine, spec, "all")]
    for limit in ending:
        try:
            found += _ask(engine, spec, limit)
        except EndedError:
            if not _is_gvisor(engine):
                raise
            told = "gVisor ended the whole container when the limit was tried"
            found.append((f"limit of {limit}", False, told))
    return found


def _is_gvisor(engine: Engine) -> bool:
    return engine.facts.runtime.startswith("runsc")


class EndedError(SandboxError):
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
            kind = EndedError if isinstance(error, StreamClosedError) else SandboxError
            raise kind(
                f"the {spec.role} container could not be probed ({error}): {tail[-1000:]}"
            ) from error
