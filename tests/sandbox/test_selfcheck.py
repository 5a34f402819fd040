"""The self-check: what it finds in real containers, and that a weaker one does not pass it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from grader.exercise.contract import load_exercise
from grader.sandbox import hardening
from grader.sandbox.engine import Engine
from grader.sandbox.hardening import ContainerSpec
from grader.sandbox.selfcheck import probe_container, self_check
from tests.sandbox.probe import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grader.sandbox.facts import EngineFacts
    from grader.sandbox.images import Images
    from grader.sandbox.workbench import Workbench

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]
LIMITS = load_exercise("probe", root=PROJECT).limits


def test_both_kinds_of_container_hold(bench: Workbench, images: Images) -> None:
    found = list(self_check(bench.engine, images, LIMITS))
    assert [f"{f.name}: {f.text}" for f in found if f.state != "ok"] == []
    assert len(found) == 2 * 23
    assert {f.name.partition(":")[0] for f in found} == {"candidate", "judge"}


def test_a_worker_leaves_out_the_judges_memory_alone(bench: Workbench, images: Images) -> None:
    found = {f.name: f.state for f in self_check(bench.engine, images, LIMITS, fill_judge=False)}
    assert set(found.values()) == {"ok"}
    assert len(found) == 2 * 23 - 1
    assert "judge: limit of memory" not in found
    assert "candidate: limit of memory" in found


def test_a_weaker_container_is_found_out(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = hardening.create_body

    def weaker(spec: ContainerSpec, facts: EngineFacts) -> Mapping[str, object]:
        body = asked(spec, facts)
        host = body["HostConfig"]
        assert isinstance(host, dict)
        host |= {
            "SecurityOpt": ["seccomp=unconfined"],
            "CapDrop": [],
            "NetworkMode": "none",
            "PidsLimit": 2 * spec.pids,
            "Memory": 4 * spec.memory,
            "MemorySwap": 4 * spec.memory,
        }
        host["Tmpfs"] = dict.fromkeys(spec.scratch, "rw,exec,size=200m,mode=1777")
        host["Ulimits"] = []
        return body

    monkeypatch.setattr("grader.sandbox.engine.create_body", weaker)
    monkeypatch.setattr("grader.sandbox.engine.verify", lambda *_: None)
    spec = ContainerSpec.candidate(images.candidate, LIMITS, slot=1023, labels={})
    spec = dataclasses.replace(spec, memory=256 << 20)
    failed = {name for name, holds, _ in probe_container(Engine(), spec) if not holds}
    assert {
        "capabilities", "no new privileges", "seccomp", "sockets", "limit of processes",
        "limit of memory", "limit of scratch bytes", "limit of scratch files",
        "limit of descriptors", "core dumps", "programs in scratch",
    } <= failed  # fmt: skip
