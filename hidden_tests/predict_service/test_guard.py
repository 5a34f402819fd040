"""The service stays right and answering while the model is slow or fails.

The judge holds the model's answers, so nothing here waits for a model. A guard that is looked at is
short, and the request is given seconds; one that is not is a minute long.
"""

from __future__ import annotations

import pytest
from data import (
    FAILED,
    MANY,
    PATIENCE,
    SHORT,
    answer_of,
    answered_late,
    assert_works,
    content,
    drawn,
    gave_up,
    rest,
    sent,
    sent_together,
    served,
    texts_of,
    value,
)

from grader.judge.compare import assert_value

TIMEOUT = "What does a caller get when the model takes too long?"
BLOCKED = "What else happens while an inference runs?"
FAILURES = "Let the model fail once."
HANGING = 24  # more than many a pool has threads


def _given_up(app, text):
    """A request whose inference never ends: its response, in time and no answer."""
    request = sent(app, text)
    if not request.wait(PATIENCE):
        raise AssertionError(f"no response within {PATIENCE:g} s, with a timeout of {SHORT:g} s")
    response = request.response()
    if response.status == 200:
        raise AssertionError("it answers, although the model has not")
    return response


@pytest.mark.criterion("guard", sheet="timeout", hint=TIMEOUT)
def test_a_request_is_given_up_in_time(solution):
    """A request whose inference takes longer than the timeout gets an error."""
    app, model = served(solution, timeout=SHORT)
    model.hold()
    _given_up(app, "Invoice 4711")
    assert_value(texts_of(model), ["Invoice 4711"], what="texts that were classified")


@pytest.mark.criterion("guard", sheet="timeout", hint=TIMEOUT)
def test_a_request_is_not_given_up_early(solution):
    """A request whose inference ends within the timeout gets its answer."""
    app, model = served(solution)
    model.hold()
    request = sent(app, "Invoice 4711")
    rest(app, model, 1)
    assert_value(request.done, False, what="whether there is a response before the model's answer")
    model.calls[0].answer(answer_of("Invoice 4711"))
    found = content(request.response())
    assert_value(value(found, "label"), answer_of("Invoice 4711")["label"], what="label")


@pytest.mark.criterion("guard", sheet="timeout", hint=TIMEOUT)
def test_nothing_is_kept_of_a_request_that_was_given_up(solution):
    """The next request for the text starts an inference of its own."""
    app, model = served(solution, timeout=SHORT)
    model.hold()
    _given_up(app, "Invoice 4711")
    sent(app, "Invoice 4711")
    app.settle(calls=2)
    if len(model.calls) == 1:  # whether inferences run at the same time is another line's matter
        model.release(answer_of)
    rest(app, model, 2)


@pytest.mark.criterion("guard", sheet="timeout", hint=TIMEOUT)
def test_each_request_has_a_timeout(solution, rng):
    """Requests are given up one after the other and together, also behind inferences that hang."""
    app, model = served(solution, timeout=SHORT)
    model.hold()
    _given_up(app, "first")
    requests = sent_together(app, drawn(rng, HANGING))
    assert_value(gave_up(requests), [True] * HANGING, what="whether there are responses in time")


@pytest.mark.criterion("guard", sheet="timeout", hint=TIMEOUT)
def test_nothing_is_kept_of_requests_that_were_all_given_up(solution):
    """When two that shared an inference are given up, the next request starts another one."""
    app, model = served(solution, timeout=0.5)
    model.hold()
    first = sent(app, "Invoice 4711")
    first.wait(0.25)
    if not all(gave_up([first, sent(app, "Invoice 4711")])):
        raise AssertionError(f"no response within {PATIENCE:g} s, with a timeout of 0.5 s")
    before = len(model.calls)
    sent(app, "Invoice 4711")
    app.settle(calls=before + 1)
    if len(model.calls) == before:  # whether inferences run at the same time is another line's
        model.release(answer_of)
    rest(app, model, before + 1)


@pytest.mark.criterion("guard", sheet="timeout", hint=TIMEOUT)
def test_many_late_results_use_nothing_up(solution, rng):
    """After 120 requests that were given up, and their late results, a text gets its answer."""
    app, model = served(solution, timeout=SHORT)
    texts = drawn(rng, 3 * MANY)
    for start in range(0, len(texts), MANY):
        if not answered_late(app, model, texts[start : start + MANY]):
            raise AssertionError(
                f"no response within {PATIENCE:g} s, with a timeout of {SHORT:g} s"
            )
    for number in range(20):  # under load a plain answer may take longer than this short guard
        if sent(app, f"Invoice {number}").response().status == 200:
            return
    raise AssertionError("no text is answered any more")


@pytest.mark.criterion("guard", sheet="unblocked", hint=BLOCKED)
def test_healthz_answers_while_an_inference_runs(solution):
    """GET /healthz is answered while the model works on a document."""
    app, model = served(solution)
    model.hold()
    slow = sent(app, "Invoice 4711")
    rest(app, model, 1)
    other = app.start("GET", "/healthz")
    assert_value(other.wait(PATIENCE), True, what="whether /healthz answers meanwhile")
    assert_value(slow.done, False, what="whether there is a response before the model's answer")


@pytest.mark.criterion("guard", sheet="unblocked", hint=BLOCKED)
def test_known_texts_are_answered_while_an_inference_runs(solution):
    """A text whose answer is known gets it while the model works on another one."""
    app, model = served(solution)
    assert_works(app, "A plain letter.")
    model.hold()
    slow = sent(app, "Invoice 4711")
    app.settle(calls=2)
    model.answer_with(answer_of)  # whether it is known is another line's matter
    other = sent(app, "A plain letter.")
    assert_value(other.wait(PATIENCE), True, what="whether it is answered meanwhile")
    assert_value(slow.done, False, what="whether there is a response before the model's answer")


@pytest.mark.criterion("guard", sheet="failures", hint=FAILURES)
def test_the_next_request_after_a_failure_infers_again(solution):
    """A failed inference is not kept: the next request gets an answer."""
    app, model = served(solution)
    model.fail_with(FAILED)
    response = sent(app, "Invoice 4711").response()
    if response.status == 200:
        raise AssertionError("it answers, although the model failed")
    model.answer_with(answer_of)
    assert_works(app, "Invoice 4711")
    assert_value(texts_of(model), ["Invoice 4711"] * 2, what="texts that were classified")


@pytest.mark.criterion("guard", sheet="failures", hint=FAILURES)
def test_a_failure_leaves_other_texts_alone(solution):
    """A text that was answered stays answered when another one fails."""
    app, model = served(solution)
    assert_works(app, "A plain letter.")
    model.fail_with(FAILED)
    sent(app, "Invoice 4711").response()
    model.answer_with(answer_of)
    assert_works(app, "A plain letter.")
    assert_works(app, "Invoice 4711")


@pytest.mark.criterion("guard", sheet="failures", hint=FAILURES)
def test_a_failure_that_requests_share_passes(solution):
    """After a failure that three requests waited for, the next one gets an answer."""
    app, model = served(solution)
    model.hold()
    requests = sent_together(app, ["Invoice 4711"] * 3)
    app.settle(calls=1)
    model.answer_with(answer_of)  # whether they ask again is up to the service
    model.release(lambda **_: FAILED)
    for request in requests:
        request.response()
    assert_works(app, "Invoice 4711")


@pytest.mark.criterion("guard", sheet="failures", hint=FAILURES)
def test_many_failures_use_nothing_up(solution, rng):
    """After forty failed inferences a text gets its answer."""
    app, model = served(solution)
    model.fail_with(FAILED)
    gave_up([sent(app, text) for text in drawn(rng, MANY)])
    model.answer_with(answer_of)
    request = sent(app, "Invoice 4711")
    assert_value(request.wait(PATIENCE), True, what="whether there is a response")
    found = content(request.response())
    assert_value(value(found, "label"), answer_of("Invoice 4711")["label"], what="label")
