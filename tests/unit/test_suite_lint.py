"""The lint for hidden tests: each rule finds its pattern, and real suites are clean."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.authoring.suite_lint import RULES, lint_suite

ROOT = Path(__file__).resolve().parent.parent.parent
SUITES = sorted(path.parent for path in (ROOT / "hidden_tests").glob("*/rubric.toml"))

BAD = {
    "pytest-raises": "with pytest.raises(TypeError):\n        solution.impute(3)",
    "broad-raises": "with raises(Exception):\n        solution.impute(3)",
    "skip": "pytest.skip('not today')",
    "assume": "reply = solution.impute(1)\n    assume(reply is not None)",
    "zip": "for a, b in zip(solution.impute(1), [1]):\n        assert_value(a, b)",
    "all-any": "reply = solution.impute(1)\n    assert all(x > 0 for x in reply)",
    "containment": "reply = solution.impute(1)\n    assert 3 in reply",
    "equality": "reply = solution.impute(1)\n    assert reply == 3",
    "negated-comparison": (
        "error = abs(solution.impute(1) - 2)\n    if error > 0.1:\n        raise AssertionError"
    ),
    "small-seed": "rng = np.random.default_rng(7)",
    "look": (
        "df = solution.make(FRAME)\n    solution.impute(df)\n"
        "    assert_frame(df.copy(), expected=FRAME)"
    ),
    "catch-all": "try:\n        solution.impute(1)\n    except BaseException:\n        pass",
}
GOOD = {
    "a checked value": "assert_value(solution.impute(1), 3)",
    "its length": "assert len(solution.impute(1)) == 3",
    "a strict zip": "for a, b in zip(solution.impute(1), [1], strict=True):\n        print(a, b)",
    "a comparison that NaN fails": (
        "gap = abs(solution.impute(1) - 2)\n    if not gap <= 0.1:\n        raise AssertionError"
    ),
    "the judge's own values": "due = reference.impute(1)\n    assert due == 3\n    assert 2 in [2]",
    "a look and a call": (
        "df = solution.make(FRAME)\n    solution.impute(df)\n"
        "    assert_frame(df.copy(), expected=FRAME)\n"
        "    assert_frame(solution.impute(df), expected=DUE)"
    ),
    "a list that collects answers": (
        "kept = solution.make([])\n    kept.extend(solution.keep.f())\n"
        "    assert_value(kept.copy(), [1])"
    ),
    "a reason": (
        "reply = solution.impute(1)\n    assert reply == 3  # verify: allow equality, an int"
    ),
}


def _lint(tmp_path: Path, body: str) -> list[str]:
    (tmp_path / "test_it.py").write_text(f"def test_it(solution, rng):\n    {body}\n")
    return [complaint.rule for complaint in lint_suite(tmp_path)]


def test_every_rule_has_a_bad_example() -> None:
    assert set(BAD) == set(RULES)


@pytest.mark.parametrize("rule", BAD)
def test_a_bad_pattern_is_found(rule: str, tmp_path: Path) -> None:
    assert rule in _lint(tmp_path, BAD[rule])


@pytest.mark.parametrize("name", GOOD)
def test_a_good_pattern_is_not(name: str, tmp_path: Path) -> None:
    assert _lint(tmp_path, GOOD[name]) == []


def test_labelled_solutions_are_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "solution.py").write_text("import pytest\npytest.skip('x')\n")
    assert lint_suite(tmp_path) == []


@pytest.mark.parametrize("suite", SUITES, ids=lambda path: path.name)
def test_the_suites_are_clean(suite: Path) -> None:
    assert [str(complaint) for complaint in lint_suite(suite)] == []
