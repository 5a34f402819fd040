"""The lint for hidden tests: each rule finds its pattern, and real suites are clean."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.authoring.rules import RULES, chosen_rules, explained, page
from grader.authoring.suite_lint import lint_suite
from grader.errors import UsageError

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
    "state": "model = solution.train(1)\n    assert_value(solution.state(model), [1])",
    "operator": "gap = solution.mean([1]) - 1\n    measure('gap', gap)",
    "threshold": (
        "gap = abs(float(solution.mean([1])))\n    if not gap <= 30:\n        raise AssertionError"
    ),
    "catch-all": "try:\n        solution.impute(1)\n    except BaseException:\n        pass",
}
GOOD = {
    "a checked value": "assert_value(solution.impute(1), 3)",
    "its length": "assert len(solution.impute(1)) == 3",
    "a strict zip": "for a, b in zip(solution.impute(1), [1], strict=True):\n        print(a, b)",
    "a comparison that NaN fails": (
        "gap = abs(float(solution.impute(1)) - 2)\n"
        "    if not gap <= 1e-6:\n        raise AssertionError"
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
    "an operator after a check of the kind": (
        "answer = solution.mean([1])\n    assert_finite([answer], 1)\n"
        "    measure('gap', answer - 1)"
    ),
    "a threshold with its reason": (
        "gap = abs(float(solution.mean([1])))\n"
        "    if not gap <= 30:  # correct solutions need up to 3\n        raise AssertionError"
    ),
    "a tolerance of rounding": (
        "gap = abs(float(solution.mean([1])))\n"
        "    if not gap <= 1e-6:\n        raise AssertionError"
    ),
    "a state that is only measured": "state = solution.state(1)\n    measure('size', len(state))",
    "a reason": (
        "reply = solution.impute(1)\n    assert reply == 3  # verify: allow equality, an int"
    ),
}


def _lint(tmp_path: Path, body: str) -> list[str]:
    (tmp_path / "test_it.py").write_text(f"def test_it(solution, rng):\n    {body}\n")
    return [complaint.rule for complaint in lint_suite(tmp_path)]


# Of more than one line of one test: below, and in test_sheet_lint.py.
ELSEWHERE = {"property-only", "no-line", "unknown-line", "untested-line"}


def test_every_rule_has_a_bad_example() -> None:
    assert set(BAD) | ELSEWHERE == set(RULES)


PROPERTY = """
@pytest.mark.criterion("core", sheet="median", hint="x")
@given(frames())
def test_any_frame(solution, frame):
    assert_frame(solution.impute(frame), expected=frame)
"""
EXPLICIT = """
@pytest.mark.criterion("core", sheet="median", hint="x")
def test_four(solution):
    assert_value(solution.impute(1), 3)
"""


@pytest.mark.parametrize(
    ("suite", "expected"),
    [
        (PROPERTY, ["property-only"]),
        (PROPERTY + EXPLICIT, []),
        (PROPERTY + EXPLICIT.replace("median", "mean"), ["property-only"]),
        (PROPERTY.replace("@given", "@example(1)\n@given"), []),
    ],
)
def test_a_line_that_only_generated_examples_hold_is_found(
    suite: str, expected: list[str], tmp_path: Path
) -> None:
    (tmp_path / "test_it.py").write_text(suite)
    assert [complaint.rule for complaint in lint_suite(tmp_path)] == expected


def test_rules_are_chosen_by_name() -> None:
    assert chosen_rules(["zip", "skip"], ["skip"]) == {"zip"}
    assert chosen_rules([], ["skip"]) == RULES.keys() - {"skip"}


def test_a_rule_that_is_not_there_is_named_with_a_guess() -> None:
    with pytest.raises(UsageError, match="there is no rule 'skips'; did you mean 'skip'"):
        chosen_rules([], ["skips"])


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_explained_with_an_example_and_a_fix(rule: str) -> None:
    lines = explained(rule).splitlines()
    assert lines[0].startswith(f"{rule}: ")
    assert {"Breaks it:", "In its place:"} <= set(lines)


def test_the_page_of_rules_is_what_the_rules_say() -> None:
    assert (ROOT / "docs" / "rules.md").read_text("utf-8") == page()


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
