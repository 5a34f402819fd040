"""Right answers under concurrency, and documents that stay private."""

from __future__ import annotations

import pytest
from data import (
    FAILED,
    PATIENCE,
    SHORT,
    answer_of,
    assert_kept,
    assert_works,
    content,
    drawn,
    gave_up,
    remembers,
    rest,
    sent,
    sent_together,
    served,
    texts_of,
    value,
)

from grader.judge.asked import Failure
from grader.judge.compare import assert_kind, assert_value
from grader.wire.recipes import recorded_output

LATE = "What becomes of a result that nobody waits for any more?"
SIDE = "Send different texts at the same time."
OWN = "Let inferences end in another order than they began."
PRIVATE = "Where could the text of a document show up?"
ADDRESS = "kaleidoskopweg 5550142"
PART = 7  # characters of it in a row


def _other(text):
    return {"label": "late", "confidence": 0.125}


@pytest.mark.criterion("serving", sheet="late", hint=LATE)
def test_a_late_result_enters_no_cache(solution):
    """The result of an inference that was given up is not the next request's answer."""
    app, model = served(solution, timeout=SHORT)
    model.hold()
    request = sent(app, "Invoice 4711")
    given_up = request.wait(PATIENCE)
    model.answer_with(answer_of)
    model.release(_other if given_up else answer_of)
    app.settle()
    response = sent(app, "Invoice 4711").response()
    # A machine under load may take longer than this short guard, which is no matter of this line.
    if given_up and response.status == 200:
        found = value(content(response), "label")
        assert_value(found, answer_of("Invoice 4711")["label"], what="label after a late result")
    patient, _ = served(solution)
    assert_works(patient)


@pytest.mark.criterion("serving", sheet="late", hint=LATE)
def test_a_late_result_replaces_no_newer_one(solution):
    """A late result does not take the place of the answer that the next request got."""
    app, model = served(solution, timeout=SHORT)
    model.hold()
    given_up = sent(app, "Invoice 4711").wait(PATIENCE)
    model.answer_with(answer_of)
    if not given_up:
        model.release(answer_of)
    sent(app, "Invoice 4711").wait(PATIENCE)
    model.release(_other)
    app.settle()
    response = sent(app, "Invoice 4711").response()
    if given_up and response.status == 200:
        found = value(content(response), "label")
        assert_value(found, answer_of("Invoice 4711")["label"], what="label after a late result")
    patient, _ = served(solution)
    assert_works(patient)


@pytest.mark.criterion("serving", sheet="late", hint=LATE)
def test_a_late_result_ends_no_newer_inference(solution):
    """A late result that comes while the next request waits answers nobody and is not kept."""
    app, model = served(solution, timeout=0.5)
    model.hold()
    given_up = sent(app, "Invoice 4711").wait(PATIENCE)
    requests = [sent(app, "Invoice 4711")]
    app.settle(calls=2)
    late = model.calls[0]
    if late.open:
        late.answer(_other("") if given_up else answer_of("Invoice 4711"))
    app.settle()
    requests.append(sent(app, "Invoice 4711"))
    app.settle()
    model.answer_with(answer_of)
    model.release(answer_of)
    requests.append(sent(app, "Invoice 4711"))
    for response in [request.response() for request in requests]:
        # Under load these may be given up as well, which is no matter of this line.
        if given_up and response.status == 200:
            found = value(content(response), "label")
            due = answer_of("Invoice 4711")["label"]
            assert_value(found, due, what="label after a late result")
    patient, _ = served(solution)
    assert_works(patient)


@pytest.mark.criterion("serving", sheet="late", hint=LATE)
def test_a_late_result_takes_nothing_from_a_newer_one(solution):
    """The answer that the next request got stays known when a late result came before it."""
    app, model = served(solution, timeout=0.5)
    known = remembers(app, model, "A plain letter.")
    model.hold()
    given_up = sent(app, "Invoice 4711").wait(PATIENCE)
    newer = sent(app, "Invoice 4711")
    app.settle(calls=len(model.calls) + 1)
    model.open[0].answer(_other("") if given_up else answer_of("Invoice 4711"))
    app.settle()
    model.answer_with(answer_of)
    model.release(answer_of)
    # Under load it may be given up as well, which is no matter of this line.
    if known and given_up and newer.response().status == 200:
        assert_kept(app, model)
    patient, _ = served(solution)
    assert_works(patient)


@pytest.mark.criterion("serving", sheet="late", hint=LATE)
def test_a_late_failure_takes_nothing_from_a_newer_answer(solution):
    """The answer that the next request got stays known when the first inference fails late."""
    app, model = served(solution, timeout=0.5)
    known = remembers(app, model, "A plain letter.")
    model.hold()
    given_up = sent(app, "Invoice 4711").wait(PATIENCE)
    model.answer_with(answer_of)
    if not given_up:  # whether there is a guard is another line's matter
        model.release(answer_of)
    newer = sent(app, "Invoice 4711").response()
    model.release(lambda **_: FAILED)
    app.settle()
    # Under load it may be given up as well, which is no matter of this line.
    if known and given_up and newer.status == 200:
        assert_kept(app, model)
    patient, _ = served(solution)
    assert_works(patient)


@pytest.mark.criterion("serving", sheet="late", hint=LATE)
@pytest.mark.parametrize("end", ["result", "failure"])
def test_requests_still_share_a_newer_inference(solution, end):
    """Where requests share an inference, they do so after a late one for the text has ended."""
    app, model = served(solution, timeout=2.0)
    model.hold()
    sent_together(app, ["A plain letter."] * 2)
    app.settle(calls=1)
    shared = len(model.calls) == 1  # whether they do is another line's matter
    model.release(answer_of)
    model.hold()
    given_up = sent(app, "Invoice 4711").wait(PATIENCE)
    newer = sent(app, "Invoice 4711")
    app.settle(calls=len(model.calls) + 1)
    late = model.open[0]
    late.fail(FAILED) if end == "failure" else late.answer(_other(""))
    app.settle()
    before = len(model.calls)
    sent(app, "Invoice 4711")
    app.settle()
    waits = not newer.done  # under load it may be given up by now, which is no matter of this line
    app.settle(calls=before + 1)
    if shared and given_up and waits:
        assert_value(len(model.calls), before, what="inferences after the third request")
    model.answer_with(answer_of)
    model.release(answer_of)
    patient, _ = served(solution)
    assert_works(patient)


@pytest.mark.criterion("serving", sheet="late", hint=LATE)
def test_an_inference_that_begins_late_is_not_kept(solution, rng):
    """Of 48 requests that were given up, those whose inference began later leave nothing either."""
    app, model = served(solution, timeout=SHORT)
    model.hold()
    texts = drawn(rng, 48)  # more than threads wait for at a time, and fewer than there may be
    requests = sent_together(app, texts)
    given_up = gave_up(requests)
    model.answer_with(_other)  # those that have waited for a thread begin now
    model.release(_other)
    app.settle()
    model.answer_with(answer_of)
    for text, gone in zip(texts, given_up, strict=True):
        response = sent(app, text).response()
        if gone and response.status == 200:
            found = value(content(response), "label")
            assert_value(found, answer_of(text)["label"], what="label after a late result")
    patient, _ = served(solution)
    assert_works(patient)


@pytest.mark.criterion("serving", sheet="side-by-side", hint=SIDE)
@pytest.mark.parametrize("length", [24, 9_000], ids=["short", "long"])
def test_different_texts_are_classified_at_the_same_time(solution, rng, length):
    """Four requests for different texts are four inferences that run at the same time."""
    app, model = served(solution)
    model.hold()
    texts = drawn(rng, 4, length)
    requests = [sent(app, text) for text in texts]
    rest(app, model, 4)
    assert_value(model.most_open, 4, what="inferences at the same time")
    assert_value([request.done for request in requests], [False] * 4, what="responses before them")
    for call in model.open:
        call.answer(answer_of(call["text"]))
    labels = [value(content(request.response()), "label") for request in requests]
    assert_value(sorted(labels), sorted(answer_of(text)["label"] for text in texts), what="labels")


def _assert_own(texts, requests):
    for text, request in zip(texts, requests, strict=True):
        found = value(content(request.response()), "label")
        assert_value(found, answer_of(text)["label"], what=f"label of {text!r}")


@pytest.mark.criterion("serving", sheet="own-answer", hint=OWN)
@pytest.mark.parametrize("order", ["as they began", "backwards", "drawn"])
def test_each_request_gets_its_own_answer(solution, rng, order):
    """Four inferences end in one order or another; each request gets the answer for its text."""
    app, model = served(solution)
    model.hold()
    texts = drawn(rng, 4)
    requests = [sent(app, text) for text in texts]
    app.settle(calls=4)
    model.answer_with(answer_of)  # where calls wait for each other, those to come
    ends = {"as they began": texts, "backwards": texts[::-1]}.get(order)
    calls = {call["text"]: call for call in model.open}
    for text in ends or rng.permutation(texts).tolist():
        if text in calls:
            calls[text].answer(answer_of(text))
            app.settle()
    _assert_own(texts, requests)


def _end(model, text):
    """Let the inference for a text end, if it has begun."""
    for call in model.open:
        if call["text"] == text:
            call.answer(answer_of(text))


@pytest.mark.criterion("serving", sheet="own-answer", hint=OWN)
def test_an_answer_is_the_requests_own_when_others_have_ended(solution, rng):
    """A third request comes after the first inference has ended and before the second has."""
    app, model = served(solution)
    model.hold()
    texts = drawn(rng, 3)
    requests = [sent(app, text) for text in texts[:2]]
    app.settle(calls=2)
    _end(model, texts[0])
    app.settle()
    requests.append(sent(app, texts[2]))
    app.settle(calls=3)
    model.answer_with(answer_of)  # where calls wait for each other, those to come
    for text in texts[1:]:
        _end(model, text)
        app.settle()
    _assert_own(texts, requests)
    _assert_own(texts, [sent(app, text) for text in texts])


@pytest.mark.criterion("serving", sheet="own-answer", hint=OWN)
def test_requests_at_once_get_their_own_answers(solution, rng):
    """Requests for eight texts that come at once, three times, get the answers for their texts."""
    app, model = served(solution)
    every = drawn(rng, 24)
    for start in range(0, 24, 8):
        texts = every[start : start + 8]
        model.hold()
        requests = sent_together(app, texts)
        app.settle(calls=len(model.calls) + 4)
        model.answer_with(answer_of)
        model.release(answer_of)
        _assert_own(texts, requests)
        again = rng.permutation(texts).tolist()
        _assert_own(again, sent_together(app, again))
    unknown = set(texts_of(model)) - set(every)
    assert_value(len(unknown), 0, what="texts that the model was asked about and nobody sent")


def _repeats_the_document(text):
    """Whether so much of the address is in a text that it is no chance."""
    folded = text.casefold()
    return any(ADDRESS[place : place + PART] in folded for place in range(len(ADDRESS) - PART + 1))


def _assert_private(response):
    shown = [response.body.decode("utf-8", "replace")]
    shown += [text for _, text in response.headers]
    if any(map(_repeats_the_document, shown)):
        raise AssertionError(f"a response with status {response.status} repeats the document")


BROKEN = ('{"text": "%s', '{"text": "%s" note}', '{"text": "%s",}', "%s", '{"text": %s}')


def _provoked(app, model):
    """Errors of each kind about a document: refused, failed, unexpected."""
    refused = [{"text": ADDRESS * 600}, {"text": [ADDRESS]}, {"text": None, "note": ADDRESS}]
    yield from (app.request("POST", "/predict", json=body) for body in refused)
    yield app.request("POST", "/predict", json=ADDRESS)
    headers = {"content-type": "application/json"}
    for body in BROKEN:
        yield app.request("POST", "/predict", body=(body % ADDRESS).encode(), headers=headers)
    for name in ("InferenceError", "RuntimeError"):
        model.answer_with(lambda text, name=name: Failure(name, f"no answer for {text!r}"))
        yield sent(app, ADDRESS).response()
    model.answer_with(answer_of)


@pytest.mark.criterion("serving", sheet="private", hint=PRIVATE)
def test_errors_hold_no_part_of_the_document(solution):
    """Nothing of a document is in an error about it, whatever the error is."""
    app, model = served(solution)
    for response in _provoked(app, model):
        _assert_private(response)
    assert_works(app)


@pytest.mark.criterion("serving", sheet="private", hint=PRIVATE)
def test_streams_hold_no_part_of_the_document(solution):
    """Nothing of a document is printed or logged, in answers and in errors."""
    record = solution.make(recorded_output())
    app, model = served(solution)
    sent(app, ADDRESS + ".").response()
    for _ in _provoked(app, model):
        pass
    app.settle()
    printed = record.getvalue()
    assert_kind(printed, str, "what was printed")
    if _repeats_the_document(printed):
        raise AssertionError("the text of a document is printed or logged")
    assert_works(app)


@pytest.mark.criterion("serving", sheet="private", hint=PRIVATE)
def test_a_late_failure_is_told_nowhere(solution):
    """What the model says of a document that was given up is neither printed nor logged."""
    record = solution.make(recorded_output())
    app, model = served(solution, timeout=SHORT)
    model.hold()
    sent(app, ADDRESS).wait(PATIENCE)
    model.answer_with(answer_of)
    model.release(lambda text: Failure("InferenceError", f"no answer for {text!r}"))
    app.settle()
    app.stop()  # a failure that nobody has fetched is told when it is cleared away
    printed = record.getvalue()
    assert_kind(printed, str, "what was printed")
    if _repeats_the_document(printed):
        raise AssertionError("the text of a document is printed or logged")
    patient, _ = served(solution)
    assert_works(patient)
