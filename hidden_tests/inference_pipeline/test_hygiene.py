"""An answer depends on its text and the model only; nothing of a ticket gets out.

Tickets are plain and compared with the solution's own other answers, so that what the answer is
(other criteria) makes no difference here.
"""

from __future__ import annotations

import contextlib
import time

import numpy as np
import pandas as pd
import pytest
from data import (
    FIELDS,
    MODEL,
    PARCEL,
    assert_works,
    batched,
    field,
    label_of,
    loaded,
    model_files,
    plain_tickets,
    predicted,
    sample,
    table_of,
    unknown_word,
)

from grader.judge.compare import assert_kind, assert_value
from grader.judge.errors import CandidateError
from grader.wire.recipes import recorded_output

STATE = "What does a pipeline remember from one ticket to the next?"
THREADS = "Let several threads use one pipeline, with different tickets."
PRIVATE = "Where could the text of a ticket show up?"
INPUT = "Look at your arguments after the call."


def _read(replies):
    """Labels and probabilities, read at once: an object there may change or end later."""
    return [label_of(reply) for reply in replies], table_of(replies)


def _same(answers, other, what):
    (labels, table), (due, expected) = answers, other
    assert_value(len(labels), len(due), what=f"number of answers ({what})")
    gap = float(np.abs(table - expected).max())
    if not gap <= 1e-9:
        raise AssertionError(f"{what}: probabilities move by up to {gap:.2g}")
    assert_value(labels, due, what=what)


def _part(answers, places):
    labels, table = answers
    return labels[places], table[places]


@pytest.mark.criterion("hygiene", sheet="independent", hint=STATE)
def test_the_same_ticket_gets_the_same_answer(solution):
    """Asked forty times, a ticket gets forty equal answers, also from a new process."""
    pipeline = loaded(solution)
    first = _read([pipeline.predict(PARCEL)])
    outcomes = solution.repeat(40).call(pipeline.predict, PARCEL)
    assert_value(len(outcomes.order), 40, what="number of answers")
    outcomes.values()  # raises the first error
    for outcome in outcomes.distinct:
        _same(_read([outcome]), first, "a later answer")
    again = loaded(solution.fresh())
    gap = float(np.abs(table_of([again.predict(PARCEL)]) - first[1]).max())
    if not gap <= 1e-9:
        raise AssertionError(f"a new process answers differently, by up to {gap:.2g}")
    assert_works(solution, again)


@pytest.mark.criterion("hygiene", sheet="independent", hint=STATE)
def test_earlier_tickets_do_not_matter(solution, rng_for):
    """Tickets get the same answers in another order, and after a batch of others."""
    texts = sample(rng_for)[0][:40]
    pipeline = loaded(solution)
    first = _read(predicted(solution, pipeline, texts))
    backwards = _read(predicted(solution, pipeline, texts[::-1]))
    _same(_part(backwards, slice(None, None, -1)), first, "in another order")
    batched(solution, pipeline, texts[20:], batch_size=6)
    after = _read(predicted(solution, pipeline, texts[:20]))
    _same(after, _part(first, slice(20)), "after a batch")
    assert_works(solution, pipeline)


@pytest.mark.criterion("hygiene", sheet="independent", hint=STATE)
def test_pipelines_know_nothing_of_each_other(solution, rng_for):
    """Two models side by side: each pipeline answers with its own."""
    files = model_files(
        card={"version": "9.9"},
        arrays={"coefficients": MODEL.weights.T[::-1], "intercept": MODEL.intercept[::-1]},
    )
    texts = sample(rng_for)[0][:15]
    old = loaded(solution)
    before = _read(predicted(solution, old, texts))
    new = loaded(solution, files)
    _, between = _read(predicted(solution, new, texts))
    again = _read(predicted(solution, old, texts))
    _same(again, before, "the first pipeline, after a second was loaded")
    gap = float(np.abs(between[:, ::-1] - before[1]).max())
    if not gap <= 1e-6:
        raise AssertionError(f"the second pipeline answers with another model, off by {gap:.2g}")
    assert_works(solution, old)


def _slowly(texts):
    """Tickets that take a moment to come, in which the other threads begin to wait for theirs."""
    for text in texts:
        time.sleep(0.002)
        yield text


def _assert_side_by_side(solution, pipeline, texts):
    """Hold that eight threads which take tickets from one source answer each of them once.

    The judge holds the source: where the threads run one after the other, the first takes all.
    """
    due, table = _read(predicted(solution, pipeline, texts))
    batches = solution.repeat(8, threads=8, items=True)
    found = batches.call(pipeline.predict_batch, _slowly(texts), batch_size=1).values()
    for replies in found:
        assert_kind(replies, list, "the answers of a thread")
    sizes = [len(replies) for replies in found]
    assert_value(sum(sizes), len(texts), what="number of answers of eight threads")
    if max(sizes) == len(texts):
        raise AssertionError("one thread took every ticket: the others had to wait for its end")
    labels, together = _read([reply for replies in found for reply in replies])
    first, second = np.lexsort(table.T), np.lexsort(together.T)
    gap = float(np.abs(together[second] - table[first]).max())
    if not gap <= 1e-9:
        raise AssertionError(f"threads give other probabilities, by up to {gap:.2g}")
    assert_value([labels[i] for i in second], [due[i] for i in first], what="labels by threads")


@pytest.mark.criterion("hygiene", sheet="independent", hint=THREADS)
def test_threads_give_the_same_answers(solution, rng_for):
    """Eight threads that send different tickets at a time get what one alone gets."""
    texts = sample(rng_for)[0][:30]
    pipeline = loaded(solution)
    alone = _read(predicted(solution, pipeline, texts))
    column = solution.make(pd.Series(texts, dtype=object))
    mapped = solution.repeat(16, threads=8).call(column.map, pipeline.predict)
    for outcome in mapped.values():
        answers = outcome.tolist()
        assert_kind(answers, list, "the answers of a thread")
        _same(_read(answers), alone, "the answers of a thread")
    _assert_side_by_side(solution, pipeline, texts)
    assert_works(solution, pipeline)


@pytest.mark.criterion("hygiene", sheet="independent", hint=STATE)
def test_two_batches_at_a_time(solution, rng_for):
    """Two iterators of one pipeline that are read in turns do not disturb each other."""
    texts = sample(rng_for)[0][:24]
    pipeline = loaded(solution)
    alone = _read(predicted(solution, pipeline, texts))
    halves = [iter(_results(solution, pipeline, part)) for part in (texts[:12], texts[12:])]
    found = [[], []]
    for _ in range(12):
        for part, half in enumerate(halves):
            found[part].append(next(half))
    _same(_read([*found[0], *found[1]]), alone, "two batches read in turns")
    assert_works(solution, pipeline)


@pytest.mark.criterion("hygiene", sheet="private", hint=PRIVATE)
def test_results_hold_no_text_of_the_ticket(solution):
    """No field of a result repeats a name, an address or a number of the ticket."""
    secrets = ("robin.example", "5550142", "Kaleidoskopweg")
    text = f"{PARCEL} {secrets[0]}@example.com {secrets[1]} {secrets[2]}"
    pipeline = loaded(solution)
    for reply in (pipeline.predict(text), *batched(solution, pipeline, [text])):
        shown = " ".join(repr(field(reply, name)) for name in FIELDS) + repr(reply)
        for secret in secrets:
            if secret.casefold() in shown.casefold():
                raise AssertionError("a result repeats personal data of the ticket")
    assert_works(solution, pipeline)


@pytest.mark.criterion("hygiene", sheet="private", hint=PRIVATE)
def test_errors_hold_no_text_of_the_ticket(solution):
    """What is refused is not quoted in the error's message."""
    secret = "Kaleidoskopweg 5550142"  # noqa: S105 - what must not be repeated
    pipeline = loaded(solution)
    for value in (secret.encode(), [secret], {"text": secret}):
        for ask in (pipeline.predict, lambda item: batched(solution, pipeline, [PARCEL, item])):
            try:
                ask(value)
            except CandidateError as error:  # whether it is a TypeError is an edge test's matter
                if "5550142" in error.message or "kaleidoskop" in error.message.casefold():
                    raise AssertionError("an error message repeats the ticket") from None
    assert_works(solution, pipeline)


@pytest.mark.criterion("hygiene", sheet="private", hint=PRIVATE)
def test_standard_streams_hold_no_text_of_the_ticket(solution, rng):
    """Nothing of a ticket is printed or logged, whether it is sure, unsure, long or refused."""
    private = "kaleidoskopweg"  # no known word: alone, it leaves the model unsure
    long = " ".join(unknown_word(rng) for _ in range(400))
    texts = [f"{PARCEL} {private}", private, f"{private} {long}", f"<p>{private}</p>"]
    pipeline = loaded(solution)
    record = solution.make(recorded_output())
    predicted(solution, pipeline, texts)
    batched(solution, pipeline, texts)
    for ask in (pipeline.predict, lambda item: batched(solution, pipeline, [PARCEL, item])):
        with contextlib.suppress(CandidateError):
            ask([private])
    printed = record.getvalue()
    assert_kind(printed, str, "what was printed")
    if private in printed.casefold():
        raise AssertionError("the text of a ticket is printed or logged")
    assert_works(solution, pipeline)


@pytest.mark.criterion("hygiene", sheet="caller", hint=INPUT)
def test_the_callers_texts_stay(solution, rng):
    """The list given to predict_batch is the same afterwards."""
    texts, _ = plain_tickets(rng, 10)
    texts = [f" {text.upper()}\n" for text in texts]
    pipeline = loaded(solution)
    given = solution.make(list(texts))
    replies = batched(solution, pipeline, given, batch_size=3)
    assert_value(len(replies), len(texts), what="number of results")
    looked = given.copy()  # verify: allow look, no answer of a pipeline shows a list's own texts
    assert_value(looked, texts, what="the list afterwards")
    assert_works(solution, pipeline)


def _results(solution, pipeline, texts):
    return solution.keep.call(pipeline.predict_batch, texts, batch_size=1)
