"""Hash, cache, validation and the form of errors.

The tests of the cache count what the judge's model was asked; those of errors look at errors that
need no guard.
"""

from __future__ import annotations

import pytest
from data import (
    FAILED,
    PATIENCE,
    SHORT,
    answer_of,
    assert_error,
    assert_status,
    assert_works,
    drawn,
    predicted,
    sent,
    served,
    sha256,
    texts_of,
    value,
)
from hypothesis import given
from hypothesis import strategies as st

from grader.judge.compare import assert_value

HASH = "What are the bytes of the text?"
CACHE = "Send a text twice."
VALID = "Send what the task sheet excludes."
ERRORS = "Look at the body of each kind of error."


@pytest.mark.criterion("core", sheet="hash", hint=HASH)
@pytest.mark.parametrize("text", ["Invoice 4711", "Zürich, 3 €", "日本語の手紙", "a\n"], ids=ascii)
def test_the_hash_is_of_the_texts_utf8(solution, text):
    """The hash is the SHA-256 of the text's UTF-8, in hexadecimal digits."""
    app, _ = served(solution)
    assert_value(value(predicted(app, text), "sha256"), sha256(text), what="sha256")


@pytest.mark.criterion("core", sheet="hash", hint=HASH)
def test_hashes_of_texts_that_come_again_stay(solution, rng):
    """The hash is the same when the answer comes from the cache."""
    app, _ = served(solution)
    texts = drawn(rng, 6)
    for text in texts * 2:
        assert_value(value(predicted(app, text), "sha256"), sha256(text), what="sha256")


@pytest.mark.criterion("core", sheet="cache", hint=CACHE)
def test_a_text_that_was_answered_needs_no_inference(solution):
    """The same text three times is one inference."""
    app, model = served(solution)
    for _ in range(3):
        assert_works(app, "Invoice 4711")
    assert_value(texts_of(model), ["Invoice 4711"], what="texts that were classified")


@pytest.mark.criterion("core", sheet="cache", hint=CACHE)
def test_cached_says_whether_it_was_in_the_cache(solution):
    """``cached`` is false at first and true later; label and confidence stay."""
    app, _ = served(solution)
    answers = [predicted(app, "Invoice 4711") for _ in range(3)]
    flags = [value(found, "cached") for found in answers]
    assert_value(flags, [False, True, True], what="cached")
    for found in answers:
        for name in ("label", "confidence"):
            assert_value(value(found, name), answer_of("Invoice 4711")[name], what=name)


@pytest.mark.criterion("core", sheet="cache", hint=CACHE)
def test_each_text_has_an_answer_of_its_own(solution, rng):
    """Eight texts in turns, three times, are eight inferences with eight answers."""
    app, model = served(solution)
    texts = drawn(rng, 8)
    for text in texts * 3:
        assert_works(app, text)
    assert_value(texts_of(model), texts, what="texts that were classified")


REFUSED = {
    "no text": {},
    "null": {"text": None},
    "a number": {"text": 3},
    "true": {"text": True},
    "a list": {"text": ["a"]},
    "empty": {"text": ""},
    "too long": {"text": "x" * 10_001},
    "a list around it": [{"text": "a"}],
    "a text alone": "a",
    "null alone": None,
}


@pytest.mark.criterion("core", sheet="validation", hint=VALID)
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_as_agreed_is_refused(solution, case):
    """It gets 422, and the model is not asked."""
    app, model = served(solution)
    response = app.request("POST", "/predict", json=REFUSED[case])
    assert_status(response, 422)
    assert_value(len(model.calls), 0, what="number of inferences")
    assert_works(app)


@pytest.mark.criterion("core", sheet="validation", hint=VALID)
@pytest.mark.parametrize("body", [b"", b"{", b"text=a", b'{"text": "a"'], ids=repr)
def test_what_is_no_json_is_refused(solution, body):
    """A body that is no JSON gets 422."""
    app, _ = served(solution)
    headers = {"content-type": "application/json"}
    assert_status(app.request("POST", "/predict", body=body, headers=headers), 422)
    assert_works(app)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.floats(-1, 1) | st.just(""),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@pytest.mark.criterion("core", sheet="validation", hint=VALID)
@given(wrong=json_values)
def test_no_other_json_is_taken_for_a_text(service, wrong):
    """Whatever JSON stands in place of the text, it gets 422."""
    app, _ = service()
    assert_status(app.request("POST", "/predict", json={"text": wrong}), 422)


@pytest.mark.criterion("core", sheet="errors", hint=ERRORS)
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("POST", "/predict/nothing", 404, "not_found"),
        ("GET", "/predict", 405, "method_not_allowed"),
        ("DELETE", "/healthz", 405, "method_not_allowed"),
    ],
)
def test_errors_of_routes_have_their_form(solution, method, path, status, code):
    """Paths and methods that there are not get the structured error."""
    app, _ = served(solution)
    assert_error(app.request(method, path), status, code)
    assert_works(app)


@pytest.mark.criterion("core", sheet="errors", hint=ERRORS)
@pytest.mark.parametrize("case", ["no text", "empty", "a list around it"])
def test_errors_of_requests_have_their_form(solution, case):
    """A refused request gets the structured error."""
    app, _ = served(solution)
    response = app.request("POST", "/predict", json=REFUSED[case])
    if response.status != 200:  # whether it is refused is another line's matter
        assert_error(response, 422, "invalid_request")
    assert_works(app)


@pytest.mark.criterion("core", sheet="errors", hint=ERRORS)
def test_errors_of_the_model_have_their_form(solution):
    """A failed inference gets the structured error."""
    app, model = served(solution)
    model.fail_with(FAILED)
    assert_error(sent(app, "Invoice 4711").response(), 502, "inference_failed")
    model.answer_with(answer_of)
    assert_works(app)


@pytest.mark.criterion("core", sheet="errors", hint=ERRORS)
def test_errors_of_the_guard_have_their_form(solution):
    """A request that took too long gets the structured error."""
    app, model = served(solution, timeout=SHORT)
    model.hold()
    request = sent(app, "Invoice 4711")
    if request.wait(PATIENCE):  # whether there is a guard is another line's matter
        assert_error(request.response(), 504, "timeout")
    patient, _ = served(solution)
    assert_works(patient)
