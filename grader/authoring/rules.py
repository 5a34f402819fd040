"""The rules that ``grade verify`` lints hidden suites and task sheets by.

Each has a name, so that one can be looked up, chosen, left out, or allowed at a line.
Source of most of them: what broke hidden suites elsewhere, see ``docs/security.md``.
"""

from __future__ import annotations

import difflib
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["RULES", "Rule", "chosen_rules", "explained", "page"]

_WIDTH = 100
_HEAD = """\
# Rules of grade verify

`grade verify` holds hidden tests and task sheets against these rules. `--select RULE,…` holds only
some, `--ignore RULE,…` leaves some out, `--explain RULE` prints one. End a line that is right
nevertheless with `# verify: allow RULE, REASON`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        what: the complaint, with the fix in short.
        why: what goes wrong.
        bad: an example that breaks it.
        good: the same, mended.
    """

    name: str
    what: str
    why: str
    bad: str
    good: str


_ALL = (
    Rule(
        "pytest-raises",
        "pytest.raises accepts errors of the judge's own; use grader.judge.raises",
        "A TypeError in the test itself would pass for one of the submission's.",
        "with pytest.raises(TypeError):\n    solution.impute(3)",
        "with raises(TypeError):\n    solution.impute(3)",
    ),
    Rule(
        "broad-raises",
        "raises(Exception) accepts any error, a crash included; name the type",
        "A submission that fails in every call keeps the line.",
        "with raises(Exception):\n    solution.impute(3)",
        "with raises(TypeError):\n    solution.impute(3)",
    ),
    Rule(
        "skip",
        "a skipped or expected failure counts as failed; write a test that decides",
        "The number of tests is fixed before the submission starts, so that nothing can leave it.",
        'pytest.skip("not today")',
        "assert_value(solution.version(), 1)",
    ),
    Rule(
        "assume",
        "assume() on an answer lets the candidate choose which examples count",
        "A submission that answers so that every example is dropped passes.",
        "reply = solution.impute(frame)\nassume(reply is not None)",
        "assert_frame(solution.impute(frame), expected=due)",
    ),
    Rule(
        "zip",
        "zip() stops at the shorter side, so a short answer passes; say strict=True",
        "An empty list agrees with everything.",
        "for got, due in zip(solution.predict(rows), expected):\n    assert_value(got, due)",
        "for got, due in zip(solution.predict(rows), expected, strict=True):\n"
        "    assert_value(got, due)",
    ),
    Rule(
        "all-any",
        "all() of an empty answer is True; check the length first, or compare whole values",
        "An empty list agrees with everything.",
        "assert all(value > 0 for value in solution.predict(rows))",
        "assert_array(solution.predict(rows), expected=due)",
    ),
    Rule(
        "containment",
        "`in` an answer asks the answer; take it apart by kind first",
        "What an object answers to `in` is its own choice, and text holds every part of itself.",
        'assert "fit" in solution.explain()',
        'text = solution.explain()\nassert_kind(text, str)\nassert_value("fit" in text, True)',
    ),
    Rule(
        "equality",
        "== asks the answer's own type; use the assert_ functions of grader.judge.compare",
        "An array of one element, True for 1 and 1.0 for 1 are equal, and NaN is not.",
        "assert solution.count(rows) == 3",
        "assert_value(solution.count(rows), 3)",
    ),
    Rule(
        "negated-comparison",
        "NaN passes `if error > limit: raise`; write `if not error <= limit`",
        "NaN is neither larger nor smaller than anything.",
        "if gap > LIMIT:\n    raise AssertionError",
        "if not gap <= LIMIT:\n    raise AssertionError",
    ),
    Rule(
        "small-seed",
        "a small literal seed can be found by trying; use the rng fixtures",
        "A submission can draw the test's numbers itself.",
        "rng = np.random.default_rng(7)",
        "def test_sizes(solution, rng): ...",
    ),
    Rule(
        "look",
        "a look at an argument reads the submission's memory; ask about it by a call as well",
        "The process that is asked can show a copy.",
        "df = solution.make(frame)\nsolution.impute(df)\nassert_frame(df.copy(), expected=frame)",
        "df = solution.make(frame)\nsolution.impute(df)\n"
        "assert_frame(solution.report(df), expected=due)",
    ),
    Rule(
        "state",
        "solution.state shows what the submission likes to show; let the verdict rest on calls",
        "The numbers that a model holds are told by the process that holds them.",
        "assert_value(solution.state(model), due)",
        "assert_array(model.predict(probe), expected=due)",
    ),
    Rule(
        "catch-all",
        "a bare except, or one of BaseException, hides a channel failure",
        "A submission that ends its process would pass.",
        "try:\n    solution.impute(frame)\nexcept BaseException:\n    pass",
        "with raises(ValueError):\n    solution.impute(frame)",
    ),
    Rule(
        "operator",
        "an operator on a raw answer; compare with the assert_ functions, or check its kind first",
        "An answer of an unexpected kind makes the test stumble in place of deciding: a list times "
        "two is a longer list, and None has no minus.",
        "gap = solution.mean(rows) - due",
        "answer = solution.mean(rows)\nassert_finite([answer], 1)\ngap = answer - due",
    ),
    Rule(
        "threshold",
        "a threshold without a reason; say beside it, or above it, where the number comes from",
        "Nobody can tell later whether it may be moved, and a correct style may be beyond it.",
        "LIMIT = 30.0\n\n\ndef test_cost(solution): ...",
        "LIMIT = 30.0  # correct solutions need up to 3, a square of the length 300",
    ),
    Rule(
        "property-only",
        "only generated examples hold this line; add an explicit one, which Hypothesis adds to",
        "Examples are drawn anew for each version and seed: whether a defect costs its criterion "
        "would hang on them.",
        '@criterion("core", sheet="median")\n@given(frames())\n'
        "def test_any_frame(solution, frame): ...",
        '@criterion("core", sheet="median")\ndef test_four_values(solution): ...',
    ),
    Rule(
        "no-line",
        'a test that names no line of the task sheet; add sheet="…"',
        "Candidates can keep only what they were told, and a report quotes the line.",
        '@pytest.mark.criterion("edge", hint="…")',
        '@pytest.mark.criterion("edge", sheet="one-row", hint="…")',
    ),
    Rule(
        "unknown-line",
        "a test that names a line which the task sheet lacks; correct the name or add the row",
        "The line was renamed, or the convention was never told.",
        '@pytest.mark.criterion("edge", sheet="two-rows", hint="…")',
        '@pytest.mark.criterion("edge", sheet="one-row", hint="…")',
    ),
    Rule(
        "untested-line",
        "a line of the task sheet without a hidden test; write one, or turn it into an assumption",
        "What no test holds costs nothing, and candidates spend time on it.",
        "| `one-row` | A frame of one row is allowed. |",
        '@pytest.mark.criterion("edge", sheet="one-row", hint="…")',
    ),
)
RULES: Mapping[str, Rule] = {rule.name: rule for rule in _ALL}


def chosen_rules(select: Iterable[str], ignore: Iterable[str]) -> frozenset[str]:
    """The rules to hold: those selected, or all, without those ignored.

    Raises:
        UsageError: there is no rule of that name.
    """
    select, ignore = list(select), list(ignore)
    for name in (*select, *ignore):
        _known(name)
    return frozenset(select or RULES) - frozenset(ignore)


def explained(name: str) -> str:
    """A rule as text: what, why, an example and the fix.

    Raises:
        UsageError: there is no rule of that name.
    """
    rule = _known(name)
    return "\n".join(
        [
            f"{rule.name}: {rule.what}",
            "",
            *textwrap.wrap(rule.why, _WIDTH),
            "",
            "Breaks it:",
            textwrap.indent(rule.bad, "    "),
            "",
            "In its place:",
            textwrap.indent(rule.good, "    "),
            "",
            f"A line that is right nevertheless: # verify: allow {rule.name}, REASON",
        ]
    )


def page() -> str:
    """All rules as Markdown: ``docs/rules.md``."""
    parts = [_HEAD]
    for rule in _ALL:
        parts += [
            "", f"## {rule.name}", "",
            f"{rule.what[0].upper()}{rule.what[1:]}.", "", rule.why, "",
            f"```python\n{rule.bad}\n```", "", "In its place:", "", f"```python\n{rule.good}\n```",
        ]  # fmt: skip
    return "\n".join([*parts, ""])


def _known(name: str) -> Rule:
    if name in RULES:
        return RULES[name]
    guess = difflib.get_close_matches(name, RULES, n=1)
    hint = f"did you mean {guess[0]!r}?" if guess else f"there are {', '.join(RULES)}"
    raise UsageError(f"there is no rule {name[:40]!a}; {hint}")
