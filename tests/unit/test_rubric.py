from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import ExerciseError
from grader.exercise.rubric import load_rubric
from grader.models import (
    Band,
    Cause,
    CollectedTest,
    Evidence,
    Expectation,
    Level,
    Measurement,
    Profile,
    Rubric,
    Status,
)
from grader.scoring.score import check_suite, score

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from grader.scores import CategoryScore, ScoreCard

EXPECTATION = Expectation("mid", Profile(2.4), Profile(3.3))
TOML = """
[criteria]
runs = "Runs"
core = "Core"
edge = "Edge"
style = "Style"
scale = "Scale"

[[category]]
id = "code_correctness"
weight = 0.6
levels.excellent = { runs = 1.0, core = 1.0, edge = 0.9 }
levels.strong = { runs = 1.0, core = 1.0 }
levels.okay = { runs = 1.0, core = 0.3 }

[[category]]
id = "code_clarity"
title = "Clarity"
weight = 0.3
needs = { core = 0.3 }
levels.excellent = { style = 0.9 }
levels.strong = { style = 0.6 }
levels.okay = { style = 0.3 }

[[category]]
id = "problem_solving"
weight = 0.1
provisional = true
levels.excellent = { scale = 1.0 }
levels.strong = { scale = 0.6 }
levels.okay = { scale = 0.3 }
"""


@pytest.fixture
def parse(tmp_path: Path) -> Callable[[str], Rubric]:
    def parse_text(text: str) -> Rubric:
        path = tmp_path / "rubric.toml"
        path.write_text(text)
        return load_rubric(path)

    return parse_text


@pytest.fixture
def rubric(parse: Callable[[str], Rubric]) -> Rubric:
    return parse(TOML)


def records(criterion: str, passed: int, total: int) -> list[Evidence]:
    return [
        Evidence(
            CollectedTest(f"t.py::{criterion}_{i}", criterion, f"{criterion} {i}", "hint"),
            Status.PASSED if i < passed else Status.FAILED,
            Cause.NONE if i < passed else Cause.WRONG_VALUE,
        )
        for i in range(total)
    ]


def grade(rubric: Rubric, **counts: tuple[int, int]) -> ScoreCard:
    evidence = [record for name, (p, t) in counts.items() for record in records(name, p, t)]
    return score(evidence, rubric, EXPECTATION)


def by_id(card: ScoreCard, category_id: str) -> CategoryScore:
    return next(category for category in card.categories if category.id == category_id)


@pytest.mark.parametrize(
    ("core", "edge", "level"),
    [
        ((10, 10), (10, 10), Level.EXCELLENT),
        ((10, 10), (9, 10), Level.EXCELLENT),
        ((10, 10), (8, 10), Level.STRONG),
        ((9, 10), (10, 10), Level.OKAY),
        ((3, 10), (0, 10), Level.OKAY),
        ((2, 10), (10, 10), Level.POOR),
    ],
)
def test_the_highest_rule_whose_every_share_is_reached_decides(
    rubric: Rubric, core: tuple[int, int], edge: tuple[int, int], level: Level
) -> None:
    card = grade(rubric, runs=(2, 2), core=core, edge=edge)
    assert by_id(card, "code_correctness").level is level


def test_nothing_passed_is_poor_everywhere_and_one_overall(rubric: Rubric) -> None:
    card = grade(rubric, runs=(0, 2), core=(0, 3), edge=(0, 3), style=(0, 4), scale=(0, 1))
    assert [c.level for c in card.categories] == [Level.POOR] * 3
    assert (card.overall, card.band) == (1.0, Band.BELOW)


def test_everything_passed_is_excellent_but_for_the_provisional_category(rubric: Rubric) -> None:
    card = grade(rubric, runs=(2, 2), core=(3, 3), edge=(3, 3), style=(4, 4), scale=(1, 1))
    assert [c.level for c in card.categories] == [Level.EXCELLENT, Level.EXCELLENT, Level.STRONG]
    assert card.overall == pytest.approx(3.9)
    assert card.band is Band.EXCEEDS


def test_a_provisional_category_says_why_it_is_capped(rubric: Rubric) -> None:
    card = grade(rubric, runs=(1, 1), core=(1, 1), edge=(1, 1), scale=(1, 1))
    assert by_id(card, "problem_solving").decided_by == (
        'Strong: "Scale" kept in full; capped at Strong until a reviewer confirms it'
    )


def test_a_category_without_tests_is_not_assessed_and_weighs_nothing(rubric: Rubric) -> None:
    card = grade(rubric, runs=(1, 1), core=(1, 1), edge=(1, 1))
    clarity = by_id(card, "code_clarity")
    assert (clarity.assessed, clarity.weight, clarity.indicators) == (False, 0.0, ())
    assert clarity.decided_by.startswith("Not assessed yet")
    assert card.overall == 4.0


def test_assessed_weights_add_up_to_one(rubric: Rubric) -> None:
    card = grade(rubric, runs=(1, 1), core=(1, 1), style=(1, 1))
    assert sum(c.weight for c in card.categories) == pytest.approx(1.0)
    assert by_id(card, "code_correctness").weight == pytest.approx(0.6 / 0.9)


def test_a_provisional_category_never_weighs_more_than_a_tenth(rubric: Rubric) -> None:
    card = grade(rubric, runs=(1, 1), core=(1, 1), scale=(1, 1))
    assert by_id(card, "problem_solving").weight == pytest.approx(0.1)


def test_a_category_stays_poor_until_what_it_needs_is_reached(rubric: Rubric) -> None:
    card = grade(rubric, runs=(1, 1), core=(1, 10), edge=(0, 1), style=(4, 4))
    clarity = by_id(card, "code_clarity")
    assert clarity.level is Level.POOR
    assert '3 of the 10 checks of "Core" (kept: 1)' in clarity.decided_by


def test_a_needed_criterion_without_tests_keeps_the_category_poor(rubric: Rubric) -> None:
    card = grade(rubric, runs=(1, 1), style=(4, 4))
    assert by_id(card, "code_clarity").level is Level.POOR


def test_a_criterion_without_tests_is_never_reached(rubric: Rubric) -> None:
    card = grade(rubric, runs=(1, 1), core=(3, 3))
    correctness = by_id(card, "code_correctness")
    assert correctness.level is Level.STRONG
    assert 'Excellent needs "Edge", which has no test' in correctness.decided_by


def test_the_decision_names_what_was_reached_and_what_was_not(rubric: Rubric) -> None:
    card = grade(rubric, runs=(2, 2), core=(4, 4), edge=(3, 5))
    assert by_id(card, "code_correctness").decided_by == (
        'Strong: "Runs" and "Core" kept in full; '
        'Excellent needs 5 of the 5 checks of "Edge" (kept: 3)'
    )


def test_a_share_just_missed_is_not_rounded_up_to_the_threshold(rubric: Rubric) -> None:
    card = grade(rubric, runs=(1, 1), core=(1, 1), edge=(898, 1000))
    assert (
        '900 of the 1000 checks of "Edge" (kept: 898)' in by_id(card, "code_correctness").decided_by
    )


def test_negative_indicators_come_first_and_the_weightiest_criterion_first(
    rubric: Rubric,
) -> None:
    card = grade(rubric, edge=(0, 1), core=(1, 2), runs=(1, 1))
    found = by_id(card, "code_correctness").indicators
    assert [(i.criterion, i.positive) for i in found] == [
        ("core", False),
        ("edge", False),
        ("runs", True),
    ]


def test_a_failed_test_becomes_an_indicator_with_its_title_and_cause(rubric: Rubric) -> None:
    card = grade(rubric, core=(0, 1))
    assert (
        by_id(card, "code_correctness").indicators[0].text == "core 0: another value than expected"
    )


def test_a_figure_that_cleared_its_threshold_is_a_positive_indicator(rubric: Rubric) -> None:
    test = CollectedTest("t.py::x", "core", "Quality", "")
    figures = (Measurement("auc", 0.83, "", 0.8), Measurement("time", 3.1, "s", 9, volatile=True))
    record = Evidence(test, Status.PASSED, measurements=figures)
    card = score([record], rubric, EXPECTATION)
    texts = [i.text for i in by_id(card, "code_correctness").indicators]
    assert "Quality: auc 0.83 (threshold 0.8)" in texts


def test_what_was_expected_and_seen_stands_beside_the_title(rubric: Rubric) -> None:
    failed = dataclasses.replace(records("core", 0, 1)[0], message="expected 2, got 3\n  more")
    found = by_id(score([failed], rubric, EXPECTATION), "code_correctness").indicators[0]
    assert (found.text, found.detail) == ("core 0", "expected 2, got 3")


def lines(criterion: str, **kept: bool) -> list[Evidence]:
    """A test for each name; the part before ``_`` is its line of the task sheet."""
    return [
        Evidence(
            CollectedTest(f"t::{name}", criterion, name, "", line=name.partition("_")[0]),
            Status.PASSED if good else Status.FAILED,
            Cause.NONE if good else Cause.WRONG_VALUE,
        )
        for name, good in kept.items()
    ]


def test_a_share_counts_lines_however_many_tests_each_has(rubric: Rubric) -> None:
    kept = lines("edge", a_1=False, a_2=False, a_3=False, b=True, c=True)
    card = score(records("runs", 1, 1) + records("core", 1, 1) + kept, rubric, EXPECTATION)
    (edge,) = (s for s in by_id(card, "code_correctness").criteria if s.id == "edge")
    assert (edge.passed, edge.total, edge.unit) == (2, 3, "lines")


def test_one_failed_test_breaks_its_line(rubric: Rubric) -> None:
    kept = lines("edge", a_1=True, a_2=False)
    card = score(records("runs", 1, 1) + records("core", 1, 1) + kept, rubric, EXPECTATION)
    (edge,) = (s for s in by_id(card, "code_correctness").criteria if s.id == "edge")
    assert (edge.passed, edge.total) == (0, 1)


def full(rubric: Rubric, expectation: Expectation, **edge: bool) -> ScoreCard:
    whole = records("runs", 1, 1) + records("core", 1, 1) + lines("edge", **edge)
    return score(whole, rubric, expectation)


def test_a_band_asks_for_levels_beside_the_score(rubric: Rubric) -> None:
    wanted = Expectation("mid", Profile(1.5), Profile(2.0, {"code_correctness": Level.EXCELLENT}))
    card = full(rubric, wanted, a=False, b=True)
    assert card.band is Band.MEETS
    assert card.missed == ("Excellent in Code correctness (reached Strong)",)
    assert full(rubric, wanted, a=True).band is Band.EXCEEDS


def test_a_band_says_which_score_it_asks_for(rubric: Rubric) -> None:
    card = full(rubric, Expectation("mid", Profile(3.5), Profile(3.8)), a=False, b=True)
    assert (card.band, card.missed) == (Band.BELOW, ("a score of 3.5 (reached 3.00)",))


def test_a_headline_defect_meets_no_expectation(rubric: Rubric) -> None:
    wanted = Expectation("mid", Profile(1.5), Profile(2.0), headline=("a", "c"))
    card = full(rubric, wanted, a=False, b=True)
    assert (card.band, card.missed) == (Band.BELOW, ("no headline defect (broken: a)",))
    assert full(rubric, wanted, a=True, b=False).band is Band.EXCEEDS


def test_a_level_of_a_category_that_is_not_assessed_is_not_asked_for(rubric: Rubric) -> None:
    wanted = Expectation("mid", Profile(1.5), Profile(2.0, {"code_clarity": Level.STRONG}))
    assert full(rubric, wanted, a=True).band is Band.EXCEEDS


@pytest.mark.parametrize(("overall", "band"), [((0, 2), Band.BELOW), ((2, 2), Band.EXCEEDS)])
def test_the_band_follows_the_expectations(
    rubric: Rubric, overall: tuple[int, int], band: Band
) -> None:
    assert grade(rubric, runs=overall, core=(9, 9), edge=(9, 9)).band is band


def test_an_overall_score_on_the_threshold_meets_it(rubric: Rubric) -> None:
    evidence = records("runs", 1, 1) + records("core", 1, 1)
    card = score(evidence, rubric, Expectation("mid", Profile(3.0), Profile(3.5)))
    assert card.band is Band.MEETS


def test_a_skipped_test_that_is_recorded_as_failed_counts_in_the_denominator(
    rubric: Rubric,
) -> None:
    evidence = [*records("core", 1, 1)]
    evidence.append(
        Evidence(CollectedTest("t.py::s", "core", "S", ""), Status.FAILED, Cause.SKIPPED)
    )
    card = score(evidence, rubric, EXPECTATION)
    share = next(s for s in by_id(card, "code_correctness").criteria if s.id == "core")
    assert (share.passed, share.total) == (1, 2)


def test_an_unknown_criterion_is_the_authors_mistake(rubric: Rubric) -> None:
    with pytest.raises(ExerciseError, match="did you mean 'core'"):
        grade(rubric, cores=(1, 1))


def test_a_test_recorded_twice_is_refused(rubric: Rubric) -> None:
    with pytest.raises(ExerciseError, match="recorded twice"):
        score(records("core", 1, 1) * 2, rubric, EXPECTATION)


def test_no_evidence_at_all_is_never_a_score(rubric: Rubric) -> None:
    with pytest.raises(ExerciseError, match="no hidden test"):
        score([], rubric, EXPECTATION)


def test_only_provisional_evidence_is_never_a_score(rubric: Rubric) -> None:
    with pytest.raises(ExerciseError, match="not provisional"):
        grade(rubric, scale=(1, 1))


def test_a_suite_that_can_reach_every_level_is_accepted(rubric: Rubric) -> None:
    tests = [r.test for name in ("runs", "core", "edge") for r in records(name, 1, 1)]
    check_suite(tests, rubric)


def test_a_suite_that_cannot_reach_a_level_is_refused(rubric: Rubric) -> None:
    tests = [r.test for name in ("runs", "core") for r in records(name, 1, 1)]
    with pytest.raises(ExerciseError, match="'code_correctness' needs edge"):
        check_suite(tests, rubric)


@pytest.mark.slow
@given(
    passed=st.dictionaries(
        st.sampled_from(["runs", "core", "edge", "style", "scale"]),
        st.lists(st.booleans(), min_size=1, max_size=6),
    )
)
def test_one_more_passed_test_never_lowers_a_score(
    passed: dict[str, list[bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "rubric.toml"
    path.write_text(TOML)
    rubric = load_rubric(path)
    verdicts = {"runs": [True], "core": [True]} | passed

    def overall(verdicts: dict[str, list[bool]]) -> float:
        evidence = [
            Evidence(
                CollectedTest(f"{name}{i}", name, "", ""),
                Status.PASSED if verdict else Status.FAILED,
            )
            for name, found in verdicts.items()
            for i, verdict in enumerate(found)
        ]
        return score(evidence, rubric, EXPECTATION).overall

    before = overall(verdicts)
    for name, found in verdicts.items():
        for i, verdict in enumerate(found):
            if not verdict:
                better = verdicts | {name: [*found[:i], True, *found[i + 1 :]]}
                assert overall(better) >= before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("weight = 0.6", "weight = 0.5", "weights add up to 0.9"),
        ('id = "code_clarity"', 'id = "code_correctness"', "used twice"),
        ("weight = 0.3", "wieght = 0.3", r"category\[1\].weight: is missing.*'wieght'"),
        ("provisional = true", "provisonal = true", "did you mean 'provisional'"),
        ("edge = 0.9 }", "egde = 0.9 }", "did you mean 'edge'"),
        ("needs = { core = 0.3 }", "needs = { cor = 0.3 }", "did you mean 'core'"),
        ("levels.okay = { style = 0.3 }", "levels.okay = {}", "is empty"),
        ("levels.okay = { style = 0.3 }", "", "levels.okay: is missing"),
        ("{ style = 0.3 }", "{ style = 0.0 }", "must be above 0"),
        ("{ style = 0.3 }", "{ style = 0.7 }", "strong: asks less of 'style' than okay"),
        ("{ style = 0.3 }", "{ style = nan }", "a number from 0 to 1"),
        ("{ style = 0.3 }", "{ style = true }", "a number from 0 to 1"),
        ('scale = "Scale"', 'scale = "Scale"\nspare = "x"', "no level refers to it"),
        ("provisional = true", "provisional = 1", "true or false"),
        ("[criteria]", "[criteria", "not valid TOML"),
        (
            "weight = 0.3\nneeds",
            "weight = 0.2\nneeds",
            "add up to 0.9",
        ),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_fix(
    parse: Callable[[str], Rubric], old: str, new: str, message: str
) -> None:
    assert old in TOML
    with pytest.raises(ExerciseError, match=message) as caught:
        parse(TOML.replace(old, new))
    assert "rubric.toml" in str(caught.value)


def test_provisional_weights_above_a_tenth_are_refused(parse: Callable[[str], Rubric]) -> None:
    text = TOML.replace("weight = 0.1", "weight = 0.2").replace("weight = 0.3", "weight = 0.2")
    with pytest.raises(ExerciseError, match=r"provisional weights add up to 0\.2"):
        parse(text)


def test_the_title_defaults_to_the_id(rubric: Rubric) -> None:
    assert [c.title for c in rubric.categories] == [
        "Code correctness",
        "Clarity",
        "Problem solving",
    ]


GROUPED = TOML.replace(
    "[[category]]", '[groups]\nleaks = ["core", "edge"]\n\n[[category]]', 1
).replace(
    "levels.excellent = { runs = 1.0, core = 1.0, edge = 0.9 }",
    "levels.excellent = { runs = 1.0, core = 1.0, leaks = 1.0 }",
)
GROUPED = GROUPED.replace(
    "levels.strong = { runs = 1.0, core = 1.0 }", "levels.strong = { runs = 1.0, leaks = 0.5 }"
).replace("levels.okay = { runs = 1.0, core = 0.3 }", "levels.okay = { runs = 1.0 }")


def _grouped(tmp_path: Path, **passed: bool) -> CategoryScore:
    path = tmp_path / "rubric.toml"
    path.write_text(GROUPED)
    rubric = load_rubric(path)
    records = [
        Evidence(
            CollectedTest(f"t::{name}", name.rpartition("_")[0] or name, name, ""),
            Status.PASSED if ok else Status.FAILED,
            Cause.NONE if ok else Cause.WRONG_VALUE,
        )
        for name, ok in {"runs": True, "style": True, "scale": True, **passed}.items()
    ]
    card = score(records, rubric, EXPECTATION)
    return card.categories[0]


def test_a_group_counts_criteria_that_passed_whole(tmp_path: Path) -> None:
    clean = _grouped(tmp_path, core=True, edge_1=True, edge_2=True)
    one_test_failed = _grouped(tmp_path, core=True, edge_1=True, edge_2=False)
    both_dirty = _grouped(tmp_path, core=False, edge_1=True, edge_2=False)

    assert clean.level is Level.EXCELLENT
    assert one_test_failed.level is Level.STRONG
    assert '1 of 2 criteria of "leaks" kept' in one_test_failed.decided_by
    assert both_dirty.level is Level.OKAY


def test_a_groups_criteria_are_the_categorys_own(tmp_path: Path) -> None:
    category = _grouped(tmp_path, core=True, edge_1=False)

    assert [share.id for share in category.criteria] == ["runs", "core", "edge"]


@pytest.mark.parametrize(
    ("group", "problem"),
    [
        ("core = ['edge']", "is the name of a criterion"),
        ("leaks = []", "is empty"),
        ("leaks = ['corr']", "did you mean 'core'"),
        ("spare = ['core']", "no level refers to it"),
    ],
)
def test_groups_that_are_wrong_are_named(tmp_path: Path, group: str, problem: str) -> None:
    path = tmp_path / "rubric.toml"
    path.write_text(TOML.replace("[[category]]", f"[groups]\n{group}\n\n[[category]]", 1))

    with pytest.raises(ExerciseError, match=problem):
        load_rubric(path)


def test_findings_name_a_file_and_words_for_known_criteria(tmp_path: Path) -> None:
    path = tmp_path / "rubric.toml"
    extra = '[findings]\nfile = "FINDINGS.md"\nwords.core = ["scal", "imput"]\n'
    path.write_text(TOML.replace("[[category]]", f"{extra}\n[[category]]", 1))

    findings = load_rubric(path).findings

    assert findings is not None
    assert findings.words == {"core": ("scal", "imput")}
    path.write_text(path.read_text().replace("words.core", "words.kore"))
    with pytest.raises(ExerciseError, match="kore"):
        load_rubric(path)


def test_a_level_that_asks_for_a_whole_group_asks_for_its_criteria(tmp_path: Path) -> None:
    path = tmp_path / "rubric.toml"
    path.write_text(GROUPED.replace("leaks = 0.5 }", "leaks = 0.5, edge = 1.0 }"))

    assert load_rubric(path).categories[0].rules[1].shares["edge"] == 1
    path.write_text(path.read_text().replace("leaks = 1.0 }", "leaks = 0.9 }"))
    with pytest.raises(ExerciseError, match="asks less of 'edge'"):
        load_rubric(path)


OPTIONAL = TOML.replace("[criteria]", 'optional = ["kept"]\n\n[criteria]\nkept = "Kept"').replace(
    "levels.excellent = { style = 0.9 }", "levels.excellent = { style = 0.9, kept = 1.0 }"
)


def test_a_rule_asks_nothing_about_an_optional_criterion_without_tests(
    parse: Callable[[str], Rubric],
) -> None:
    rubric = parse(OPTIONAL)
    rest = {"runs": (1, 1), "core": (1, 1), "edge": (1, 1), "scale": (1, 1)}
    card = grade(rubric, **rest, style=(10, 10))
    assert by_id(card, "code_clarity").level is Level.EXCELLENT
    assert by_id(card, "code_clarity").decided_by == 'Excellent: "Style" kept in full'
    assert [share.id for share in by_id(card, "code_clarity").criteria] == ["style"]


def test_an_optional_criterion_counts_where_it_has_tests(
    parse: Callable[[str], Rubric],
) -> None:
    rubric = parse(OPTIONAL)
    rest = {"runs": (1, 1), "core": (1, 1), "edge": (1, 1), "scale": (1, 1), "style": (10, 10)}
    low = by_id(grade(rubric, **rest, kept=(1, 2)), "code_clarity")
    high = by_id(grade(rubric, **rest, kept=(2, 2)), "code_clarity")
    assert (low.level, high.level) == (Level.STRONG, Level.EXCELLENT)


def test_a_suite_without_tests_of_an_optional_criterion_is_complete(
    parse: Callable[[str], Rubric],
) -> None:
    names = ("runs", "core", "edge", "style", "scale")
    check_suite([r.test for name in names for r in records(name, 1, 1)], parse(OPTIONAL))


def test_an_optional_criterion_must_exist(parse: Callable[[str], Rubric]) -> None:
    with pytest.raises(ExerciseError, match="kept"):
        parse(OPTIONAL.replace('kept = "Kept"', 'other = "Other"'))
