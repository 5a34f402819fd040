"""What an engine says of itself, and what follows from it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest

from grader.errors import PrerequisiteError, SandboxError
from grader.sandbox.engine import RUNTIME, Container, Engine


def engine(*runtimes: str, product: str = "Engine", architecture: str = "x86_64") -> Engine:
    """One that a made-up engine answers to."""
    components = [
        {"Name": product, "Version": "29.0.1"},
        {"Name": "runc", "Version": "1.3.3"},
        {"Name": "OCI Runtime (crun)", "Version": "crun version 1.8.1\nspec: 1.0.0"},
    ]
    api: Any = SimpleNamespace(
        base_url="http+docker://localhost",
        ping=lambda: True,
        version=lambda: {"Version": "29.0.1", "ApiVersion": "1.52", "Components": components},
        info=lambda: {
            "Runtimes": {name: {} for name in runtimes},
            "DefaultRuntime": runtimes[0],
            "Architecture": architecture,
            "CgroupVersion": "2",
        },
    )
    return Engine(api)


def test_gvisor_is_used_where_the_engine_has_it() -> None:
    facts = engine("runc", "runsc").facts
    assert (facts.runtime, facts.runtime_version) == ("runsc", "")


def test_the_default_runtime_and_its_version_otherwise() -> None:
    assert engine("runc", "kata").facts.runtime_version == "1.3.3"
    facts = engine("crun").facts
    assert (facts.runtime, facts.runtime_version) == ("crun", "1.8.1")


def test_a_runtime_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUNTIME, "runc")
    assert engine("runc", "runsc").facts.runtime == "runc"


def test_a_runtime_that_the_engine_lacks_is_told_with_those_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(RUNTIME, "runsc")
    with pytest.raises(PrerequisiteError, match=r"GRADER_RUNTIME=runsc: .* only kata, runc"):
        engine("runc", "kata")


def test_architectures_are_named_as_the_kernel_does() -> None:
    assert engine("runc", architecture="arm64").facts.architecture == "aarch64"


def test_podman_uses_the_runtime_that_it_is_set_up_with(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = engine("runc", "runsc", product="Podman Engine").facts
    assert (facts.product, facts.runtime) == ("Podman", "runc")
    monkeypatch.setenv(RUNTIME, "runsc")
    with pytest.raises(PrerequisiteError, match=r"Podman uses runc.*containers\.conf"):
        engine("runc", "runsc", product="Podman Engine")


def container(*answers: Exception | None) -> tuple[Container, list[str]]:
    """One whose removal is answered so, and what was asked."""
    left, asked = list(answers), []

    def remove(name: str, *, force: bool, v: bool) -> None:
        assert force
        assert v
        asked.append(name)
        answer = left.pop(0)
        if answer:
            raise answer

    stream: Any = SimpleNamespace(close=lambda: None)
    api: Any = SimpleNamespace(remove_container=remove)
    return Container(api, "c1", stream, None), asked


def test_a_container_that_is_gone_already_is_removed() -> None:
    gone, asked = container(docker.errors.NotFound("no such container"))
    gone.remove()
    gone.remove()
    assert asked == ["c1"]


def test_a_container_that_is_just_ending_is_removed_at_a_later_try() -> None:
    slow = docker.errors.APIError("tried to kill container, but did not receive an exit event")
    ending, asked = container(docker.errors.APIError("container state improper"), slow, None)
    ending.remove()
    assert asked == ["c1"] * 3


def test_a_container_that_stays_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.sandbox.engine._REMOVING_SECONDS", 0.1)
    error = docker.errors.APIError("no")
    with pytest.raises(SandboxError, match="removing a container"):
        container(error, error)[0].remove()
