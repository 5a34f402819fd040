from __future__ import annotations

import copy
import dataclasses
import html
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from grader.errors import JudgeError, PlatformError, UsageError
from grader.models import Band, Cause, Level, Status, Submission, SubmissionFile
from grader.notebook.facts import NotebookFacts
from grader.notebook.fresh import CellError
from grader.report.document import json_schema
from grader.report.feedback import feedback
from grader.report.model import file_facts
from grader.report.report_json import (
    build_report,
    read_report,
    stable_bytes,
    stable_evidence,
    validate,
    write_report,
)
from grader.text import CandidateText

sys.path.insert(0, str(Path(__file__).parent))
from sample_report import later, record, report


def objects(node: Any) -> list[dict[str, Any]]:
    found = []
    if isinstance(node, dict):
        if node.get("type") == "object":
            found.append(node)
        for value in node.values():
            found += objects(value)
    return found


def test_a_report_conforms_to_its_schema() -> None:
    built = build_report(report())
    validate(built)
    jsonschema.Draft202012Validator(json_schema()).validate(built)


def test_the_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_the_schema_allows_no_unknown_and_no_missing_key() -> None:
    for node in objects(json_schema()):
        if "properties" in node:
            assert node["additionalProperties"] is False
            assert sorted(node["required"]) == sorted(node["properties"])


def test_the_schema_knows_every_value_of_every_enumeration() -> None:
    defined = json_schema()["$defs"]
    assert set(defined["Cause"]["enum"]) == {cause.value for cause in Cause}
    assert set(defined["Status"]["enum"]) == {status.value for status in Status}
    assert set(defined["Band"]["enum"]) == {band.value for band in Band}
    levels, nothing = defined["Category"]["properties"]["level_name"]["anyOf"]
    assert set(levels["enum"]) == {level.name.lower() for level in Level}
    assert nothing == {"type": "null"}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"score": {"overall": 5}}, "$.score.overall"),
        ({"submission": {"digest": "A" * 64}}, "$.submission.digest"),
        ({"submission": {"digest": "a" * 64 + "\n"}}, "$.submission.digest"),
        ({"run": {"collected": 0}}, "$.run.collected"),
        ({"run": {"limits": {"more": 1}}}, "$.run.limits"),
        ({"volatile": {"started": None}}, "$.volatile.started"),
    ],
)
def test_a_refusal_names_the_place(change: dict[str, Any], place: str) -> None:
    def put(into: dict[str, Any], what: dict[str, Any]) -> None:
        for key, value in what.items():
            if isinstance(value, dict):
                put(into[key], value)
            else:
                into[key] = value

    built = copy.deepcopy(build_report(report()))
    put(built, change)
    with pytest.raises(PlatformError) as caught:
        validate(built)
    assert f"at `{place}`" in str(caught.value)


@pytest.mark.parametrize("key", list(build_report(report())))
def test_a_report_without_one_of_its_keys_is_refused(key: str) -> None:
    built = build_report(report())
    del built[key]
    with pytest.raises(PlatformError, match="does not conform"):
        validate(built)


def test_a_report_with_an_unknown_key_is_refused() -> None:
    with pytest.raises(PlatformError, match="does not conform"):
        validate(build_report(report()) | {"more": 1})


def test_two_runs_differ_under_volatile_only() -> None:
    first = report()
    one, two = build_report(first), build_report(later(first))
    assert stable_bytes(one) == stable_bytes(two)
    assert one["volatile"] != two["volatile"]


def test_stable_bytes_hold_no_time_and_nothing_of_the_machine() -> None:
    text = stable_bytes(build_report(report())).decode("ascii")
    for volatile in ("run-1", "2026", "docker", "runc", 'seconds":0', "1.23", "user namespaces"):
        assert volatile not in text


def test_stable_bytes_do_not_depend_on_the_order_of_keys() -> None:
    built = build_report(report())
    assert stable_bytes(dict(reversed(built.items()))) == stable_bytes(built)


def test_a_changed_verdict_changes_the_stable_bytes() -> None:
    first, other = report(record("a")), report(record("a", message="x"))
    assert stable_bytes(build_report(first)) != stable_bytes(build_report(other))


def test_a_figure_that_is_not_finite_is_null() -> None:
    figures = build_report(report())["evidence"][0]["measurements"]
    odd = {"name": "odd", "value": None, "unit": "s", "threshold": None, "better": "low"}
    assert figures[1] == odd


def test_a_category_that_is_not_assessed_has_no_level() -> None:
    clarity = build_report(report())["score"]["categories"][1]
    assert (clarity["assessed"], clarity["level"], clarity["level_name"]) == (False, None, None)
    assert clarity["weight"] == 0


@pytest.mark.parametrize("collected", [2, 4, 0])
def test_a_record_for_each_collected_test_or_no_report(collected: int) -> None:
    whole = report()
    short = dataclasses.replace(whole, run=dataclasses.replace(whole.run, collected=collected))
    with pytest.raises(JudgeError, match="void"):
        build_report(short)


def test_the_file_holds_ascii_json_and_no_lone_surrogate(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_report(path, build_report(report()))
    raw = path.read_bytes()
    assert raw.isascii()
    assert b"\x1b" not in raw
    json.loads(raw)["evidence"][1]["message"].encode("utf-8")


def test_writing_replaces_the_old_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    write_report(path, build_report(report()))
    assert json.loads(path.read_text())["schema"] == "report/2"
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(PlatformError, match="No space left"):
        write_report(path, build_report(report()))
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_a_report_that_does_not_conform_is_not_written(tmp_path: Path) -> None:
    built = copy.deepcopy(build_report(report()))
    built["score"]["overall"] = 5
    with pytest.raises(PlatformError):
        write_report(tmp_path / "report.json", built)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_does_not_exist_is_a_platform_error(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="cannot be written"):
        write_report(tmp_path / "no" / "report.json", build_report(report()))


def test_a_written_report_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    built = build_report(report())
    write_report(path, built)
    assert read_report(path) == built


def test_evidence_that_is_recomputed_equals_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_report(path, build_report(report()))
    assert stable_evidence(later(report()).evidence) == read_report(path)["evidence"]


@pytest.mark.parametrize("raw", [None, b"", b"{}", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_report_is_a_usage_error(tmp_path: Path, raw: bytes | None) -> None:
    path = tmp_path / "report.json"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(UsageError, match=r"report\.json"):
        read_report(path)


def test_file_facts_hash_each_file() -> None:
    submission = Submission("s", Path("s"), "", (SubmissionFile("a.py", b"abc"),))
    (fact,) = file_facts(submission)
    assert (fact.path, fact.size) == ("a.py", 3)
    assert fact.sha256.startswith("ba7816bf8f01cfea")


# What the candidate may read


def test_feedback_shows_levels_and_counts() -> None:
    shown = feedback(report())
    assert "## Code correctness: Okay" in shown
    assert "- Computes the right values: 1 of 2 checks kept" in shown
    assert "## Code clarity: not assessed" in shown
    assert "## Problem solving: Strong (until a reviewer confirms it)" in shown


def test_feedback_quotes_the_broken_lines_of_the_task_sheet() -> None:
    failed = record("t", message="expected 42.5")
    failed = dataclasses.replace(failed, test=dataclasses.replace(failed.test, line="one-row"))
    sheet = {"one-row": "A frame of one row is allowed.", "empty": "So is an empty one."}
    shown = feedback(dataclasses.replace(report(failed, record("fine")), sheet=sheet))
    assert "- `one-row`: A frame of one row is allowed." in shown
    assert "So is an empty one." not in shown


def test_feedback_gives_the_hints_of_failed_tests_once() -> None:
    twice = [dataclasses.replace(record("t", message="m")) for _ in range(2)]
    other = dataclasses.replace(twice[1], test=dataclasses.replace(twice[1].test, id="other"))
    shown = feedback(report(twice[0], other, record("fine")))
    assert shown.count("Hint for t.") == 1
    assert "Hint for fine." not in shown


def test_feedback_reveals_no_title_message_figure_place_or_overall_score() -> None:
    built = report()
    shown = feedback(built)
    for secret in ("Title of", "42.5", "expected", "0.8125", "auc", "test_a", "test_two", "mid"):
        assert secret not in shown
    assert f"{built.scorecard.overall:.2f}" not in shown
    assert built.scorecard.band.value not in shown.lower()


def test_feedback_says_why_a_module_could_not_be_loaded() -> None:
    broken = dataclasses.replace(
        record("a", message="NameError: name 'get_ipython' is not defined"),
        cause=Cause.LOAD_ERROR,
        where="solution.py:23 in <module>",
    )
    shown = feedback(report(broken))
    assert "could not be loaded" in shown
    said = "<code>solution.py:23</code>: <code>NameError: name 'get_ipython' is not defined</code>"
    assert said in html.unescape(shown)
    elsewhere = dataclasses.replace(broken, where="test_a.py::x in the suite")
    assert "test_a" not in feedback(report(elsewhere))


def test_feedback_tells_no_load_error_where_something_loaded() -> None:
    once = dataclasses.replace(record("a", message="told once"), cause=Cause.LOAD_ERROR)
    assert "told once" not in feedback(report(once, record("b")))


def test_feedback_says_what_was_left_out_and_chosen() -> None:
    built = dataclasses.replace(report(), submission_notes=("left out 'a;b'", "x <b> was graded"))
    shown = feedback(built)
    assert "## About your files" in shown
    assert "left out" in shown
    assert "<b>" not in shown


def test_feedback_names_the_notebook_and_one_cause() -> None:
    def error(number: int, kind: str, said: str) -> CellError:
        words = (CandidateText(kind), CandidateText(said), CandidateText(""))
        return CellError(number, 2, *words)

    first = error(1, "ModuleNotFoundError", "google.colab is not available here")
    later = [error(n, "NameError", f"name n{n}") for n in range(2, 52)]
    facts = NotebookFacts("work.ipynb", 60, 3, (first, *later), "", (), 0)
    shown = feedback(dataclasses.replace(report(), notebook=facts))
    assert "Graded: <code>work.ipynb</code>" in html.unescape(shown)
    assert "cell 1, line 2" in shown
    assert "50 later cells lack a name that is not defined" in shown
    assert "n51" not in shown


IN_THREADS = """
import json, sys, threading
from grader.report import document
made = json.load(sys.stdin)
sys.setswitchinterval(1e-6)
start, told = threading.Barrier(4), []
def ask():
    start.wait()
    told.append(document.check(made).schema)
threads = [threading.Thread(target=ask) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert told == ["report/2"] * 4
"""


def test_the_first_reports_may_be_checked_in_several_threads() -> None:
    """Where msgspec met the type in them first, the interpreter crashed."""
    text = json.dumps(build_report(report(record("a"))))
    for _ in range(3):
        subprocess.run([sys.executable, "-c", IN_THREADS], input=text, text=True, check=True)
