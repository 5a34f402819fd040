"""A short subset of the hostile corpus in the real sandbox, and the corpus itself."""

from __future__ import annotations

import collections
import re
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
    "review/forms-in-errors",
    "review/notebook-with-outputs-that-act",
}


hostile = load("hostile")
ATTACKS = {f"{attack.group}/{attack.name}": attack for attack in hostile.load_attacks()}
ARCHIVES = [name for name, attack in ATTACKS.items() if attack.archive]
REQUESTS = [name for name, attack in ATTACKS.items() if attack.request]


def test_the_corpus_has_every_group() -> None:
    groups = collections.Counter(attack.group for attack in ATTACKS.values())
    assert sum(groups.values()) >= 150
    assert set(groups) == {
        "channel", "ci", "escape", "forging", "imports", "intake", "neighbours", "process",
        "readers", "report", "resources", "review", "secrecy", "services", "unreviewed",
        "witness",
    }  # fmt: skip


def test_the_documentation_counts_the_attacks_right() -> None:
    text = (hostile.ROOT / "docs/security.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| (\w+) \| (\d+) \|", text, re.MULTILINE))
    assert told == {
        group: str(count)
        for group, count in collections.Counter(a.group for a in ATTACKS.values()).items()
    }


@pytest.mark.parametrize("name", ARCHIVES)
def test_intake_gives_its_code(name: str, tmp_path: Path) -> None:
    attack = ATTACKS[name]
    assert hostile.refusal(attack, tmp_path) == ()


@pytest.mark.parametrize("name", REQUESTS)
def test_the_review_app_refuses(name: str, tmp_path: Path) -> None:
    assert hostile.refusal(ATTACKS[name], tmp_path) == ()


def vector(*, passed: bool = True, level: int = 2, marked: bool = True, host: float = 0.5) -> Any:
    verdicts = {"a": "passed", "b": "passed" if passed else "failed"}
    return hostile.Vector(verdicts, {}, {"x": level}, level, marked, seconds=1, host_seconds=host)


def test_a_vector_that_gained_is_a_problem() -> None:
    found = hostile.compare(ATTACKS["imports/conftest"], vector(passed=False), vector(level=3))
    assert [line.split()[0] for line in found] == ["gained", "scores"]


def test_a_payload_that_did_not_run_is_a_problem() -> None:
    found = hostile.compare(ATTACKS["imports/conftest"], vector(), vector(marked=False))
    assert found == ["the payload did not run to its end"]


def test_a_report_that_takes_the_host_long_is_a_problem() -> None:
    found = hostile.compare(ATTACKS["imports/conftest"], vector(), vector(host=23.5))
    assert found == ["cost the host 23.0 s of CPU more than its twin"]


@pytest.fixture(scope="module")
def findings() -> dict[str, Any]:
    seed = hostile.seeds(1)[0]
    tasks = [(ATTACKS[name], "imputation", seed) for name in sorted(SUBSET)]
    with hostile.Range(2, print) as area:
        return {f"{f.attack.group}/{f.attack.name}": f for f in area.run_all(tasks)}


@pytest.mark.docker
@pytest.mark.parametrize("name", sorted(SUBSET))
def test_attack_changes_what_it_may(findings: dict[str, Any], name: str) -> None:
    assert findings[name].problems == ()
