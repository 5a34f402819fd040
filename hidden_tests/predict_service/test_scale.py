"""One inference for equal requests, and a cache that is bounded."""

from __future__ import annotations

import pytest
from data import (
    FAILED,
    GRACE,
    LONG,
    MANY,
    PATIENCE,
    SHORT,
    answer_of,
    answered_late,
    assert_kept,
    assert_status,
    assert_works,
    content,
    drawn,
    gave_up,
    inferences_for,
    remembers,
    rest,
    sent,
    sent_together,
    served,
    texts_of,
    value,
)

from grader.judge.compare import assert_value

SINGLE = "Send the same text five times at once."
BOUNDED = "Send more texts than the cache may hold."
COUNTS = {"answered": (100, 300), "failed": (300, 1_500), "late": (100, 300)}
KEPT = 40_000  # bytes of a document in memory
AT_ONCE = 20  # documents on their way while memory is looked at


@pytest.mark.criterion("solving_scale", sheet="single-flight", hint=SINGLE)
def test_equal_requests_share_an_inference(solution):
    """Five requests for one text at once are one inference, whose answer all of them get."""
    app, model = served(solution)
    model.hold()
    requests = sent_together(app, ["Invoice 4711"] * 5)
    rest(app, model, 1)
    model.answer_with(answer_of)
    model.release(answer_of)
    for request in requests:
        found = value(content(request.response()), "label")
        assert_value(found, answer_of("Invoice 4711")["label"], what="label")
    assert_value(len(model.calls), 1, what="number of inferences")


@pytest.mark.criterion("solving_scale", sheet="single-flight", hint=SINGLE)
def test_a_request_joins_an_inference_that_runs(solution, rng):
    """Requests that come later, between those for other texts, join as well."""
    app, model = served(solution)
    model.hold()
    first, second = drawn(rng, 2)
    requests = []
    for text in (first, second, first, second, first):
        requests.append(sent(app, text))
        app.settle()
    app.settle(calls=2)  # whether they run at the same time is another line's matter
    model.answer_with(answer_of)
    model.release(answer_of)
    for request in requests:
        assert_status(request.response(), 200)
    asked = texts_of(model)
    assert_value(sorted(asked), sorted([first, second]), what="texts that were classified")


@pytest.mark.criterion("solving_scale", sheet="single-flight", hint=SINGLE)
def test_a_request_that_is_given_up_ends_no_other(solution):
    """Two requests share an inference that is late; both are told what one alone is told."""
    app, model = served(solution, timeout=0.5)
    model.hold()
    alone, first = sent(app, "A plain letter."), sent(app, "Invoice 4711")
    first.wait(0.25)
    second = sent(app, "Invoice 4711")
    requests = [alone, first, second]
    given_up = gave_up(requests)
    if given_up.count(False) == 0:  # whether there is a guard is another line's matter
        told = [request.response().status for request in requests]
        assert_value(told[1:], [told[0]] * 2, what="status of two that share, as of one alone")
    model.answer_with(answer_of)
    model.release(answer_of)
    patient, _ = served(solution)
    assert_works(patient)


@pytest.mark.criterion("solving_scale", sheet="single-flight", hint=SINGLE)
def test_who_joins_late_has_a_timeout_of_its_own(solution):
    """A request that joins a second later waits as long as one alone; so does the first."""
    app, model = served(solution, timeout=2.0)
    model.hold()
    first, alone = sent(app, "Invoice 4711"), sent(app, "An older letter.")
    first.wait(1.0)
    other = sent(app, "A plain letter.")  # before it, so that on a slow machine it ends before it
    joined = sent(app, "Invoice 4711")
    if alone.wait(2 + PATIENCE) and not first.wait(2 * GRACE) and first.wait(PATIENCE):
        raise AssertionError("whom another joins waits longer than one alone")
    if first.wait(2 + PATIENCE) and joined.wait(GRACE) and not other.wait(2 * GRACE):
        told = joined.response().status
        raise AssertionError(f"who joins late gets its {told} when the first request gets its own")
    model.answer_with(answer_of)
    model.release(answer_of)
    patient, _ = served(solution)
    assert_works(patient)


@pytest.mark.criterion("solving_scale", sheet="single-flight", hint=SINGLE)
def test_who_shares_a_failure_keeps_its_timeout(solution):
    """Two share an inference that fails late: if they ask again, they wait no longer for that."""
    app, model = served(solution, timeout=2.0)
    model.hold()
    requests = sent_together(app, ["Invoice 4711"] * 2)
    app.settle(calls=1)
    requests[0].wait(0.8)
    other = sent(app, "A plain letter.")
    other.wait(0.8)
    for call in [call for call in model.open if call["text"] == "Invoice 4711"]:
        call.fail(FAILED)
    if other.wait(2 + PATIENCE) and not all(request.wait(GRACE) for request in requests):
        raise AssertionError("a request whose inference failed waits longer than its timeout")
    model.answer_with(answer_of)
    model.release(answer_of)
    patient, _ = served(solution)
    assert_works(patient)


@pytest.mark.criterion("solving_scale", sheet="single-flight", hint=SINGLE)
def test_who_shares_a_failure_is_told_what_one_alone_is_told(solution):
    """Three that share an inference which fails get its error, or the answer of another one."""
    app, model = served(solution)
    model.fail_with(FAILED)
    alone = sent(app, "A plain letter.").response().status
    model.hold()
    requests = sent_together(app, ["Invoice 4711"] * 3)
    app.settle(calls=2)
    model.answer_with(answer_of)  # whether they ask again is up to the service
    model.release(lambda **_: FAILED)
    told = {request.response().status for request in requests}
    assert_value(
        sorted(told - {alone, 200}), [], what="other statuses of three that share a failure"
    )
    assert_works(app, "Another letter.")


@pytest.mark.criterion("solving_scale", sheet="single-flight", hint=SINGLE)
def test_a_request_that_is_given_up_takes_nothing_from_the_next(solution):
    """An answer that the next request infers stays known, though one of the late inference ends."""
    app, model = served(solution, timeout=0.5)
    known = remembers(app, model, "A plain letter.")
    model.hold()
    first = sent(app, "Invoice 4711")
    first.wait(0.25)
    second = sent(app, "Invoice 4711")
    given_up = first.wait(PATIENCE)
    before = len(model.calls)
    third = sent(app, "Invoice 4711")
    given_up = second.wait(PATIENCE) and given_up
    app.settle()
    joined = len(model.calls) == before  # which it may, and then its answer need not be kept
    model.answer_with(answer_of)
    if model.open:  # the newest ends first, so that no result is late
        model.open[-1].answer(answer_of("Invoice 4711"))
        app.settle()
    model.release(answer_of)
    # Under load the third may be given up as well, which is no matter of this line.
    if known and given_up and not joined and third.response().status == 200:
        assert_kept(app, model)
    patient, _ = served(solution)
    assert_works(patient)


@pytest.mark.criterion("solving_scale", sheet="bounded", hint=BOUNDED)
def test_no_more_answers_are_kept_than_agreed(solution, rng):
    """After four texts a cache of three has forgotten the first, and knows the others."""
    app, model = served(solution, max_entries=3)
    texts = drawn(rng, 4)
    for text in texts:
        assert_works(app, text)
    for text in texts[1:]:
        assert_works(app, text)
    assert_value(texts_of(model), texts, what="texts that were classified")
    assert_works(app, texts[0])
    assert_value(texts_of(model), [*texts, texts[0]], what="texts that were classified")


@pytest.mark.criterion("solving_scale", sheet="bounded", hint=BOUNDED)
def test_what_fails_takes_no_place(solution, rng):
    """In a full cache of three all texts are known after another one's inference has failed."""
    app, model = served(solution, max_entries=3)
    *texts, failing = drawn(rng, 4)
    inferences_for(app, model, texts)
    known = inferences_for(app, model, texts)  # whether three are kept is looked at above
    model.fail_with(FAILED)
    sent(app, failing).response()
    model.answer_with(answer_of)
    again = inferences_for(app, model, texts)
    assert_value(again, known, what="inferences for texts that were answered")


@pytest.mark.criterion("solving_scale", sheet="bounded", hint=BOUNDED)
@pytest.mark.parametrize("used", ["in a full cache", "before it is full"])
def test_what_was_used_longest_ago_goes_first(solution, rng, used):
    """A text that is asked for again stays; the one that was used longest ago goes."""
    app, model = served(solution, max_entries=3)
    first, second, third, fourth = drawn(rng, 4)
    again = [third, first] if used == "in a full cache" else [first, third]
    for text in (first, second, *again, fourth):
        assert_works(app, text)
    for text in (first, third, fourth):
        assert_works(app, text)
    known = [first, second, third, fourth]
    assert_value(texts_of(model), known, what="texts that were classified")
    assert_works(app, second)
    assert_value(texts_of(model), [*known, second], what="texts that were classified")


@pytest.mark.criterion("solving_scale", sheet="bounded", hint=BOUNDED)
@pytest.mark.parametrize("outcome", COUNTS)
def test_memory_does_not_grow_with_texts(solution, measure, outcome):
    """Many long documents leave hardly more behind than some do.

    A failed inference leaves a traceback in a circle, which Python clears away some hundred
    requests later, so that more documents are needed to tell it from what is kept.
    """
    # One such character makes Python keep four bytes for each of a text.
    few, many = COUNTS[outcome]
    limit = (many - few) * KEPT // 2
    app, model = served(solution, max_entries=5, timeout=SHORT if outcome == "late" else LONG)
    if outcome == "failed":
        model.fail_with(FAILED)
        for _ in range(2):
            sent(app, "A plain letter.").response()
        if len(model.calls) == 1:
            return  # that failures pass is another line's matter
    peaks = []
    for count in (few, many):
        texts = [f"\U0001f4c4 {count} {number} " + "x" * 9_900 for number in range(count)]
        at_once = MANY if outcome == "late" else AT_ONCE  # each waits for the guard
        for start in range(0, count, at_once):
            some = texts[start : start + at_once]
            if outcome == "late" and not answered_late(app, model, some):
                return  # whether there is a guard is another line's matter
            for request in sent_together(app, some) if outcome != "late" else ():
                response = request.response()
                if outcome == "answered":
                    content(response)
        app.settle()
        peaks.append(solution.last.peak_bytes)
    if min(peaks) < 0:
        return  # nobody measures it here
    grown = peaks[1] - peaks[0]
    measure("memory growth", grown / (1 << 20), "MiB", limit / (1 << 20), volatile=True)
    if grown > limit:
        raise AssertionError(f"{many} documents leave {grown >> 20} MiB more behind than {few}")
