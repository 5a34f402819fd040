"""A short subset of the hostile corpus in the real sandbox, and the corpus itself."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

import pytest

from tests.scripts import load

if TYPE_CHECKING:
    from pathlib import Path

SUBSET = {
    "imports/conftest",
    "process/memory-of-the-parent",
    "process/answers-true-from-the-runner",
    "forging/equal-to-everything",
    "forging/exceptions-of-pytest",
    "channel/bytes-before-a-question",
    "resources/fork-bomb",
    "escape/kernel-interfaces",
    "secrecy/environment",
    "report/terminal-escapes-in-errors",
    "neighbours/submission-is-rewritten",
    "ci/forged-results",
}


hostile = load("hostile")
ATTACKS = {f"{attack.group}/{attack.name}": attack for attack in hostile.load_attacks()}
ARCHIVES = [name for name, attack in ATTACKS.items() if attack.archive]


def test_the_corpus_has_every_group() -> None:
    groups = collections.Counter(attack.group for attack in ATTACKS.values())
    assert sum(groups.values()) >= 150
    assert set(groups) == {
        "channel", "ci", "escape", "forging", "imports", "intake", "neighbours", "process",
        "readers", "report", "resources", "secrecy",
    }  # fmt: skip


@pytest.mark.parametrize("name", ARCHIVES)
def test_intake_gives_its_code(name: str, tmp_path: Path) -> None:
    attack = ATTACKS[name]
    assert hostile.refusal(attack, tmp_path) == ()


def test_a_vector_that_gained_is_a_problem() -> None:
    twin = hostile.Vector({"a": "passed", "b": "failed"}, {}, {"x": 2}, 2.0, marked=True, seconds=1)
    forged = hostile.Vector(
        {"a": "passed", "b": "passed"}, {}, {"x": 3}, 3.0, marked=True, seconds=1
    )
    found = hostile.compare(ATTACKS["imports/conftest"], twin, forged)
    assert [line.split()[0] for line in found] == ["gained", "scores"]


def test_a_payload_that_did_not_run_is_a_problem() -> None:
    twin = hostile.Vector({"a": "passed"}, {}, {}, 2.0, marked=False, seconds=1)
    found = hostile.compare(ATTACKS["imports/conftest"], twin, twin)
    assert found == ["the payload did not run to its end"]


@pytest.fixture(scope="module")
def findings() -> dict[str, Any]:
    seed = hostile.seeds(1)[0]
    tasks = [(ATTACKS[name], "imputation", seed) for name in sorted(SUBSET)]
    with hostile.Range(2, hostile.TWIN, print) as area:
        return {f"{f.attack.group}/{f.attack.name}": f for f in area.run_all(tasks)}


@pytest.mark.docker
@pytest.mark.parametrize("name", sorted(SUBSET))
def test_attack_changes_what_it_may(findings: dict[str, Any], name: str) -> None:
    assert findings[name].problems == ()
