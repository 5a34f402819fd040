"""What an engine says of itself, and what follows from it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from grader.errors import PrerequisiteError
from grader.sandbox.engine import RUNTIME, Engine


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


def test_podman_is_refused_before_anything_is_built() -> None:
    with pytest.raises(PrerequisiteError, match=r"Podman .* in place of Docker"):
        engine("runc", product="Podman Engine")
