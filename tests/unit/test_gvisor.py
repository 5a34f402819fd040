"""What is asked of an engine whose runtime is gVisor."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from grader.errors import SandboxError
from grader.exercise.contract import load_exercise
from grader.sandbox import selfcheck
from grader.sandbox.hardening import ContainerSpec, create_body
from tests.unit.test_doctor import GOOD

if TYPE_CHECKING:
    from grader.sandbox.doctor import Finding
    from grader.sandbox.engine import Engine

ROOT = Path(__file__).resolve().parents[2]


def host(runtime: str) -> dict[str, Any]:
    """The settings of an analyst's container under a runtime."""
    spec = ContainerSpec.analyst("image", slot=0, labels={})
    config: Any = create_body(spec, dataclasses.replace(GOOD, runtime=runtime))["HostConfig"]
    return dict(config)


def test_gvisors_own_threads_have_room_beside_the_containers() -> None:
    plain, strong = host("runc"), host("runsc")
    assert strong["PidsLimit"] > plain["PidsLimit"] + 100
    assert strong.pop("Runtime") == "runsc"
    assert {**strong, "PidsLimit": plain["PidsLimit"]} == plain


def probed(monkeypatch: pytest.MonkeyPatch, runtime: str) -> list[Finding]:
    """What the self-check says of containers that end at the limit of processes."""

    def ask(engine: Engine, spec: ContainerSpec, what: str) -> list[tuple[str, bool, str]]:
        del engine, spec
        if what == "processes":
            raise selfcheck.EndedError("the container could not be probed")
        return [("seccomp", False, "mode 0"), ("user", True, "61001")] if what == "all" else []

    monkeypatch.setattr(selfcheck, "_ask", ask)
    engine: Any = SimpleNamespace(facts=dataclasses.replace(GOOD, runtime=runtime))
    images: Any = SimpleNamespace(candidate="a", judge="b")
    return list(selfcheck.self_check(engine, images, load_exercise("imputation", root=ROOT).limits))


def test_what_gvisors_own_kernel_answers_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {f.name: f.state for f in probed(monkeypatch, "runsc-kvm")}
    assert found["candidate: seccomp"] == found["judge: limit of processes"] == "warning"
    assert found["judge: user"] == "ok"
    assert len(found) == 6


def test_with_another_runtime_a_container_that_ends_is_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(SandboxError, match="could not be probed"):
        probed(monkeypatch, "runc")
