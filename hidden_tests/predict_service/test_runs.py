"""Everything that the task asks for is there and answers a plain question."""

from __future__ import annotations

import pytest
from data import FIELDS, answer_of, assert_status, assert_works, predicted, served, value

from grader.judge.compare import assert_value

HINT = "Run the sample tests: both routes must exist and answer."


@pytest.mark.criterion("runs", sheet="answers", hint=HINT)
def test_predict_answers(solution):
    """POST /predict answers two texts with label and confidence of the model."""
    app, _ = served(solution)
    for text in ("Invoice 4711", "A plain letter."):
        found = predicted(app, text)
        for name in ("label", "confidence"):
            assert_value(value(found, name), answer_of(text)[name], what=name)


@pytest.mark.criterion("runs", sheet="answers", hint=HINT)
def test_an_answer_has_four_fields(solution):
    """An answer has the four fields of the task sheet and no other, and is JSON by its type."""
    app, _ = served(solution)
    response = app.request("POST", "/predict", json={"text": "Invoice 4711"})
    assert_status(response, 200)
    assert_value(response.media_type, "application/json", what="content type")
    assert_value(tuple(sorted(response.json())), FIELDS, what="fields")


@pytest.mark.criterion("runs", sheet="answers", hint=HINT)
def test_healthz_answers(solution):
    """GET /healthz says that the service is up."""
    app, _ = served(solution)
    response = app.request("GET", "/healthz")
    assert_status(response, 200)
    assert_value(response.json(), {"status": "ok"}, what="answer of /healthz")


@pytest.mark.criterion("runs", sheet="answers", hint="Does the application start and stop?")
def test_it_starts_and_stops(solution):
    """The application starts, answers, and stops when it is told to."""
    app, _ = served(solution)
    assert_works(app)
    app.stop()
