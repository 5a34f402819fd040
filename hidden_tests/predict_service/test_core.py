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
GIVEN = "What becomes of the model's answer on its way?"
GIVEN_ANSWERS = [("Dunning letter", 0.1 + 0.2), (" N/A ", 1e-9), ("R\u00c9SUM\u00c9", 1.0)]
VALID = "Send what the task sheet excludes."
ERRORS = "Look at the body of each kind of error."


@pytest.mark.criterion("core", sheet="hash", hint=HASH)
def test_the_hash_is_of_the_texts_utf8(solution, rng):
    """The hash is the SHA-256 of the text's UTF-8, at first and from the cache."""
    app, _ = served(solution)
    texts = ["Invoice 4711", "Z\u00fcrich, 3 \u20ac", "\u65e5\u672c\u8a9e", " a\n", *drawn(rng, 3)]
    texts += ["a\r\nb", "Zu\u0308rich", "\ufb01le", "a\0\tb", "\ufeffInvoice 4711"]
    for text in texts * 2:
        assert_value(
            value(predicted(app, text), "sha256"), sha256(text), what=f"sha256 of {text!a}"
        )


@pytest.mark.criterion("core", sheet="hash", hint=HASH)
@given(text=st.text(min_size=1, max_size=60))
def test_any_text_has_its_hash(service, text):
    """Whatever the text is, its hash is the SHA-256 of its UTF-8."""
    app, _ = service()
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


@pytest.mark.criterion("core", sheet="answers", hint=GIVEN)
def test_an_answer_is_what_the_model_gave(solution):
    """Label and confidence are the model's to the last character and digit, first and later."""
    app, model = served(solution)
    for number, (label, confidence) in enumerate(GIVEN_ANSWERS):
        given = {"label": label, "confidence": confidence}
        model.answer_with(lambda given=given, **_: given)
        for _ in range(2):  # whether the second is from the cache is another line's matter
            found = predicted(app, f"Invoice {number}")
            assert_value({name: value(found, name) for name in given}, given, what="the answer")


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


NO_JSON = {"nothing": b"", "cut": b"{", "a form": b"text=a", "open": b'{"text": "a"'}


def _refused(app, case):
    if case in REFUSED:
        return app.request("POST", "/predict", json=REFUSED[case])
    headers = {"content-type": "application/json"}
    return app.request("POST", "/predict", body=NO_JSON[case], headers=headers)


def _assert_refused(solution, cases):
    app, model = served(solution)
    for case in cases:
        response = _refused(app, case)
        if response.status != 422:
            told = f"; it raised {response.error}" if response.error else ""
            raise AssertionError(f"{case}: expected status 422, got {response.status}{told}")
    assert_value(len(model.calls), 0, what="number of inferences")
    assert_works(app)


@pytest.mark.criterion("core", sheet="validation", hint=VALID)
@pytest.mark.parametrize("case", ["empty", "too long"])
def test_texts_of_other_lengths_are_refused(solution, case):
    """A text that is empty or too long gets 422, and the model is not asked."""
    _assert_refused(solution, [case])


@pytest.mark.criterion("core", sheet="validation", hint=VALID)
def test_what_is_no_text_is_refused(solution):
    """A text that is missing or of another type gets 422, and the model is not asked."""
    _assert_refused(solution, [case for case in REFUSED if case not in ("empty", "too long")])


@pytest.mark.criterion("core", sheet="validation", hint=VALID)
def test_what_is_no_json_is_refused(solution):
    """A body that is no JSON gets 422, and the model is not asked."""
    _assert_refused(solution, NO_JSON)


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


ROUTES = [
    ("GET", "/nothing", 404, "not_found"),
    ("POST", "/predict/nothing", 404, "not_found"),
    ("GET", "/predict", 405, "method_not_allowed"),
    ("DELETE", "/healthz", 405, "method_not_allowed"),
]


@pytest.mark.criterion("core", sheet="errors", hint=ERRORS)
def test_errors_of_routes_have_their_form(solution):
    """Paths and methods that there are not get the structured error."""
    app, _ = served(solution)
    for method, path, status, code in ROUTES:
        assert_error(app.request(method, path), status, code)
    assert_works(app)


@pytest.mark.criterion("core", sheet="errors", hint=ERRORS)
def test_errors_of_requests_have_their_form(solution):
    """A refused request gets the structured error."""
    app, _ = served(solution)
    for case in ("no text", "empty", "a list around it", "cut"):
        response = _refused(app, case)
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
    model.release(answer_of)
    patient, _ = served(solution)
    assert_works(patient)
