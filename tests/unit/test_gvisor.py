"""What is asked of an engine whose runtime is gVisor."""

from __future__ import annotations

import dataclasses
from typing import Any

from grader.sandbox.hardening import ContainerSpec, create_body
from tests.unit.test_doctor import GOOD


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
