"""``[app]`` and ``[[stand_in]]`` in exercise.toml, and what the candidate's side is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.candidate.config import AppConfig, StandInConfig
from grader.contracts import AppContract, StandIn
from grader.errors import ExerciseError
from grader.exercise.contract import load_exercise
from grader.exercise.service import read_app, read_stand_ins, service_meta
from grader.exercise.toml import Table, read_table
from grader.judge.local import told_of
from grader.models import ExpectedFunction

ROOT = Path(__file__).parents[2]
FUNCTIONS = (ExpectedFunction("create_app", (), ()), ExpectedFunction("app", (), ()))
SOURCE = "class InferenceError(Exception): ...\ndef run(text): ...\nasync def later(text): ...\n"


def table(folder: Path, text: str) -> Table:
    (folder / "exercise.toml").write_text(text, encoding="utf-8")
    (folder / "inference.py").write_text(SOURCE, encoding="utf-8")
    (folder / "broken.py").write_text("def run(:\n", encoding="utf-8")
    return read_table(folder / "exercise.toml")[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ('[app]\nfactory = "create_app"\n', AppContract(factory="create_app")),
        ('[app]\nname = "app"\n', AppContract(name="app")),
    ],
    ids=["none", "factory", "name"],
)
def test_an_app_is_a_factory_or_a_name(
    tmp_path: Path, text: str, expected: AppContract | None
) -> None:
    assert read_app(table(tmp_path, text), FUNCTIONS) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[app]\n", "needs either factory"),
        ('[app]\nfactory = "create_app"\nname = "app"\n', "needs either factory"),
        ('[app]\nfactory = "make"\n', "list it under"),
        ('[app]\nfactory = "1"\n', "a Python name"),
        ('[app]\nfactory = "create_app"\nport = 80\n', "port"),
    ],
    ids=["neither", "both", "unlisted", "no name", "another key"],
)
def test_a_mistake_in_an_app_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ExerciseError, match=told):
        read_app(table(tmp_path, text), FUNCTIONS)


def test_a_stand_in_has_the_starters_source(tmp_path: Path) -> None:
    top = table(tmp_path, '[[stand_in]]\nmodule = "inference"\nfunctions = ["run", "later"]\n')
    assert read_stand_ins(top, tmp_path) == (StandIn("inference", SOURCE, ("run", "later")),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('module = "missing"\nfunctions = ["run"]\n', "cannot be read"),
        ('module = "broken"\nfunctions = ["run"]\n', "cannot be read"),
        ('module = "../inference"\nfunctions = ["run"]\n', "the name of a module"),
        ('module = "inference"\nfunctions = ["walk"]\n', "defines no walk"),
        ('module = "inference"\nfunctions = ["InferenceError"]\n', "defines no InferenceError"),
        ('module = "inference"\n', "is empty"),
        (
            (
                'module = "inference"\nfunctions = ["run"]\n'
                '[[stand_in]]\nmodule = "inference"\nfunctions = ["later"]\n'
            ),
            "listed twice",
        ),
    ],
    ids=["no file", "no Python", "a path", "no such function", "a class", "none", "twice"],
)
def test_a_mistake_in_a_stand_in_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ExerciseError, match=told):
        read_stand_ins(table(tmp_path, f"[[stand_in]]\n{text}"), tmp_path)


def test_plain_author_mode_is_told_the_same_as_the_sandbox() -> None:
    exercise = load_exercise("predict_service", root=ROOT)
    told, meta = told_of(exercise.public_dir), service_meta(exercise)
    assert AppConfig.from_meta(told["app"]) == AppConfig.from_meta(meta["app"])
    assert StandInConfig.all_from_meta(told["stand_ins"]) == StandInConfig.all_from_meta(
        meta["stand_ins"]
    )


def test_an_exercise_without_a_service_tells_nothing(tmp_path: Path) -> None:
    assert told_of(tmp_path) == {}


class _Contract:
    app = AppContract(factory="create_app")
    stand_ins = (StandIn("inference", SOURCE, ("run",)),)


def test_the_candidates_side_is_told_of_both() -> None:
    meta = service_meta(_Contract())  # type: ignore[arg-type]
    assert AppConfig.from_meta(meta["app"]) == AppConfig(factory="create_app")
    assert StandInConfig.all_from_meta(meta["stand_ins"]) == (
        StandInConfig("inference", SOURCE, ("run",)),
    )
