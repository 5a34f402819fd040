"""Stages that people score: the files, what answers amount to, the forms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader.commands import scorecard
from grader.errors import ExerciseError, UsageError
from grader.exercise.contract import SENIORITIES
from grader.models import Band
from grader.scorecard.outcome import Answers, combined, outcome, share_of_scale
from grader.scorecard.read import (
    load_competencies,
    load_scorecard,
    load_scorecards,
    load_stage_weights,
)
from grader.scorecard.sheet import candidate_sheet, interview_sheet

if TYPE_CHECKING:
    from grader.scorecard.card import Scorecard

ROOT = Path(__file__).resolve().parents[2]
CARDS = load_scorecards(ROOT)
SMALL = """
id = "talk"
version = "1.0"
stage = "presentation"
title = "Talk"
purpose = "Whether they can explain."
panel = "Two engineers"
minutes = { from = 20, to = 30 }

[levels]
below = "Below"
meets = "Meets"
exceeds = "Exceeds"

[[category]]
id = "clarity"
title = "Clarity"
weight = 0.75
anchors = { below = "unclear", meets = "clear", exceeds = "clear to all" }

[[category]]
id = "depth"
title = "Depth"
weight = 0.25
anchors = { below = "none", meets = "some", exceeds = "much" }

[[part]]
id = "deck"
title = "Deck"
minutes = 20
prompt = "Present."
points = { alerts = "Alerts that lead to action", drift = "Drift" }
informs = ["depth"]

[positive]
business = "Ties it to the business"

[expectations.mid]
shows = ["Explains a threshold"]
meets = { overall = 2.0, depth = "meets" }
exceeds = { overall = 2.5, depth = "exceeds" }
"""


def written(folder: Path, text: str = SMALL, name: str = "talk") -> Path:
    path = folder / "scorecards" / name / "scorecard.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def card(tmp_path: Path) -> Scorecard:
    return load_scorecard(written(tmp_path))


def scored(clarity: str, depth: str) -> Answers:
    return Answers({"clarity": clarity, "depth": depth})


def test_the_project_ships_a_card_for_each_stage_that_people_score() -> None:
    assert {card.id: card.stage for card in CARDS.values()} == {
        "coding_screen": "coding",
        "ml_knowledge": "knowledge",
        "presentation": "presentation",
        "system_design": "system_design",
        "work_simulation": "work_simulation",
    }


@pytest.mark.parametrize("name", CARDS)
def test_a_shipped_card_expects_something_of_each_seniority(name: str) -> None:
    assert tuple(CARDS[name].expectations) == SENIORITIES


@pytest.mark.parametrize("name", CARDS)
def test_the_lowest_levels_meet_nothing_and_the_highest_exceed_everything(name: str) -> None:
    card = CARDS[name]
    levels = list(card.levels)
    worst, best = (
        Answers({c.id: level for c in card.categories}) for level in levels[:: len(levels) - 1]
    )
    assert {outcome(card, worst, s).band for s in SENIORITIES} == {Band.BELOW}
    assert {outcome(card, best, s).band for s in SENIORITIES} == {Band.EXCEEDS}


@pytest.mark.parametrize("name", CARDS)
def test_a_more_senior_candidate_needs_no_less(name: str) -> None:
    card = CARDS[name]
    overall = [
        (card.expectations[s].meets.overall, card.expectations[s].exceeds.overall)
        for s in SENIORITIES
    ]
    assert overall == sorted(overall)


def test_the_competency_table_has_eight_rows_for_four_seniorities() -> None:
    table = load_competencies(ROOT / "scorecards" / "competencies.toml")
    assert [tuple(row.by_seniority) for row in table.rows] == [SENIORITIES] * 8


def test_the_overall_score_is_the_weighted_mean_on_the_cards_scale(card: Scorecard) -> None:
    assert outcome(card, scored("exceeds", "below"), "mid").overall == 0.75 * 3 + 0.25 * 1


def test_there_is_no_score_until_every_category_has_a_level(card: Scorecard) -> None:
    found = outcome(card, Answers({"clarity": "meets"}), "mid")
    assert (found.overall, found.band, found.open) == (None, None, ("Depth",))


def test_a_high_mean_does_not_hide_a_category_that_matters(card: Scorecard) -> None:
    found = outcome(card, scored("exceeds", "below"), "mid")
    assert (found.band, found.missed) == (Band.BELOW, ("Depth: Below, wanted Meets",))


def test_what_keeps_a_card_from_exceeding_is_named(card: Scorecard) -> None:
    found = outcome(card, scored("meets", "meets"), "mid")
    assert found.band is Band.MEETS
    assert found.missed == ("overall 2.00, wanted 2.5 of 3", "Depth: Meets, wanted Exceeds")


def test_a_seniority_of_which_nothing_is_expected_has_no_band(card: Scorecard) -> None:
    assert outcome(card, scored("meets", "meets"), "principal").band is None


def test_ticked_points_are_counted_by_part(card: Scorecard) -> None:
    answers = Answers(points=frozenset({"deck/drift", "elsewhere/drift"}))
    assert outcome(card, answers, "mid").points == {"deck": (1, 2)}


def test_no_number_mixes_stages_without_weights() -> None:
    assert combined({}, {"talk": 1.0}) is None


def test_no_number_mixes_stages_while_one_is_not_scored() -> None:
    assert combined({"talk": 0.5, "imputation": 0.5}, {"talk": 1.0}) is None


def test_weights_of_the_organiser_mix_shares_of_each_scale() -> None:
    shares = {"talk": share_of_scale(2.0, 3), "imputation": share_of_scale(4.0, 4)}
    assert combined({"talk": 0.5, "imputation": 0.5}, shares) == 0.75


def test_weights_name_what_is_there(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "scorecards" / "stages.toml").write_text("[weights]\ntalk = 0.4\nnone = 0.6\n")
    with pytest.raises(UsageError, match=r"weights\.none: there is no such exercise or scorecard"):
        load_stage_weights(tmp_path, ["talk"])


def test_weights_add_up_to_one(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "scorecards" / "stages.toml").write_text("[weights]\ntalk = 0.4\n")
    with pytest.raises(ExerciseError, match=r"add up to 0\.4; make them add up to 1"):
        load_stage_weights(tmp_path, ["talk"])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('id = "talk"', 'id = "other"', "make them the same"),
        ("weight = 0.25", "weight = 0.5", "weights add up to 1.25"),
        ('meets = "some", ', "", "write one for each of below, meets, exceeds"),
        ('informs = ["depth"]', 'informs = ["width"]', "'width' is no category"),
        ('id = "depth"', 'id = "clarity"', "'clarity' is used twice"),
        ("minutes = 20", "minutes = 40", "the parts take 40 minutes of 30"),
        ('depth = "meets"', 'depth = "great"', "must be one of below, meets, exceeds"),
        ("overall = 2.5", "overall = 1.5", "less than meets; raise it"),
        (', depth = "exceeds"', "", "depth asks for less than meets"),
        ("[expectations.mid]", "[expectations.middle]", "is no seniority"),
        ("from = 20, to = 30", "from = 30, to = 20", "goes from 30 to 20"),
        ('shows = ["Explains a threshold"]', "", "add what this seniority"),
        ('panel = "Two engineers"', 'panell = "Two"', "there is 'panell'"),
    ],
)
def test_a_wrong_card_is_told_what_to_mend(old: str, new: str, told: str, tmp_path: Path) -> None:
    assert SMALL.count(old) == 1
    with pytest.raises(ExerciseError, match=told):
        load_scorecard(written(tmp_path, SMALL.replace(old, new)))


@pytest.mark.parametrize("name", CARDS)
def test_the_candidates_sheet_tells_nothing_that_scores(name: str) -> None:
    card, sheet = CARDS[name], candidate_sheet(CARDS[name])
    scores = [text for part in card.parts for text in part.points.values()]
    scores += [text for c in card.categories for text in c.anchors.values()]
    scores += [*card.positive.values(), *card.negative.values()]
    scores += [line for role in card.roles for line in (*role.constraints, *role.tensions)]
    assert [text for text in scores if text in sheet] == []


@pytest.mark.parametrize("name", CARDS)
def test_the_interviewers_form_holds_every_anchor_and_point(name: str) -> None:
    card, form = CARDS[name], interview_sheet(CARDS[name], "senior")
    wanted = [text for part in card.parts for text in part.points.values()]
    wanted += [text for c in card.categories for text in c.anchors.values()]
    wanted += [line for role in card.roles for line in (*role.tensions, *role.do_not)]
    assert [text for text in wanted if text not in form] == []


def test_the_command_checks_and_lists_all_cards(capsys: pytest.CaptureFixture[str]) -> None:
    assert scorecard.run([]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [*CARDS, "competencies"]


def test_the_command_prints_a_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert scorecard.run(["presentation", "--for", "mid"]) == 0
    assert capsys.readouterr().out == interview_sheet(CARDS["presentation"], "mid")


def test_an_unknown_card_names_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="there are coding_screen, ml_knowledge"):
        scorecard.run(["sytem_design"])
