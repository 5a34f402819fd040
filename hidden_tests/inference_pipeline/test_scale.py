"""Loaded once, lazy, and at a cost that is comparable with the judge's own.

CPU time on both sides, so that neighbours do not count. Seen on one machine: correct solutions cost
0.8 to 2.4 times the reference, parsing the model anew for each ticket 18 times. Memory is the
container's peak, which only grows: the test of it looks at what a call adds.
"""

from __future__ import annotations

import pytest
from data import (
    FILES,
    MODEL,
    PARCEL,
    assert_batch,
    assert_labels,
    assert_works,
    batched,
    known_words,
    labels_of,
    loaded,
    predicted,
)
from tickets import draw_tickets

from grader.judge.compare import assert_value
from grader.wire.values import FileTree

ONCE = "When is the model read? Delete the folder after loading."
COST = "How much work is done for each ticket that could be done once?"
LAZY = "How many tickets are taken before the first result comes out?"
MEMORY = "What is kept of a ticket after its result was handed out?"
TIMES = 12.0
MIB = 1 << 20
GROWTH = 96.0


def _ratio(theirs, ours):
    known = theirs.cpu_ns > 0 and ours.cpu_ns > 0
    mine = ours.cpu_ns if known else ours.wall_ns
    other = theirs.cpu_ns if known else theirs.wall_ns
    return other / max(mine, 1_000_000)


@pytest.mark.criterion("solving_scale", hint=ONCE)
def test_the_folder_may_disappear(solution):
    """Once loaded, a pipeline answers although its model's files are gone."""
    folder = solution.make(FileTree(dict(FILES)))
    pipeline = solution.keep.load_pipeline(folder)
    for name in FILES:
        solution.keep.call(folder.joinpath, name).unlink()
    assert_works(solution, pipeline)


@pytest.mark.criterion("solving_scale", hint=ONCE)
def test_the_folder_may_change(solution):
    """Files that change after loading have no effect."""
    folder = solution.make(FileTree(dict(FILES)))
    pipeline = solution.keep.load_pipeline(folder)
    assert_works(solution, pipeline)
    for name in FILES:
        solution.keep.call(folder.joinpath, name).write_bytes(b"changed")
    assert_works(solution, pipeline)


@pytest.mark.criterion("solving_scale", hint=COST)
def test_throughput(solution, measure, rng):
    """A thousand tickets in batches cost no more than a multiple of the reference."""
    texts = list(dict.fromkeys(ticket.text for ticket in draw_tickets(rng, 1200)))[:1000]
    with solution.stopwatch() as ours:
        MODEL.probabilities(texts)
    pipeline = loaded(solution)
    load = solution.last
    assert_works(solution, pipeline)  # whatever is compiled or imported once is no part of the cost
    results = solution.keep.call(pipeline.predict_batch, texts, batch_size=100)
    basket = solution.make([])
    basket.extend(results)
    theirs = solution.last
    assert_value(len(labels_of(basket.copy())), len(texts), what="number of results")
    ratio = _ratio(theirs, ours)
    measure("cost of a thousand tickets", ratio, "times the reference", TIMES, volatile=True)
    measure("cost of loading", load.cpu_ns / 1e6, "ms", volatile=True)
    if not ratio <= TIMES:
        raise AssertionError(f"a thousand tickets cost more than {TIMES:.0f} times the reference")


@pytest.mark.criterion("solving_scale", hint=COST)
def test_first_and_later_calls(solution, measure):
    """A pipeline that has answered does not load again: forty more answers are cheap."""
    pipeline = loaded(solution)
    load = solution.last
    assert_labels(predicted(solution, pipeline, [PARCEL]), [PARCEL])
    outcomes = solution.repeat(40).call(pipeline.predict, PARCEL)
    assert_labels(outcomes.values(), [PARCEL] * 40)
    one = max(solution.last.wall_ns, 1) / 40
    measure("cost of a call", one / max(load.wall_ns, 1), "times loading", volatile=True)
    assert_works(solution, pipeline)


@pytest.mark.criterion("solving_scale", hint=LAZY)
def test_results_come_while_texts_are_read(solution, rng):
    """At any moment at most two batches of tickets have been taken ahead of the results."""
    texts = known_words(rng, 120)
    taken = [0]

    def source():
        for text in texts:
            taken[0] += 1
            yield text

    pipeline = loaded(solution)
    results = solution.keep.call(pipeline.predict_batch, source(), batch_size=8)
    replies = []
    for reply in results:
        replies.append(reply)
        ahead = taken[0] - len(replies)
        if ahead > 16:
            raise AssertionError(f"{ahead} tickets were taken ahead, with batch_size=8")
    assert_batch(replies, texts)


@pytest.mark.criterion("solving_scale", hint=MEMORY)
def test_memory_over_ten_thousand_tickets(solution, measure, rng):
    """Ten thousand tickets through one iterator need no more memory than a few."""
    texts = known_words(rng, 40)
    pipeline = loaded(solution)
    assert_batch(batched(solution, pipeline, texts), texts)
    batched(solution, pipeline, texts * 10, batch_size=40)
    before = solution.last.peak_bytes
    many = solution.make(texts * 250)
    results = solution.keep.call(pipeline.predict_batch, many, batch_size=40)
    ask = solution.ask("getattr", solution.ask("iter", results), "__next__")
    outcomes = solution.repeat(10_000).call(ask)
    after = solution.last.peak_bytes
    distinct, order = outcomes.distinct, outcomes.order
    assert_value(len(order), 10_000, what="number of results")
    outcomes.values()  # raises the first error
    assert_batch([distinct[place] for place in order[-40:]], texts)
    if before < 0 or after < 0:
        return  # the engine does not tell
    growth = (after - before) / MIB
    measure("memory of ten thousand tickets", growth, "MiB more", GROWTH, volatile=True)
    if not growth <= GROWTH:
        raise AssertionError(
            f"ten thousand tickets need more than {GROWTH:.0f} MiB more than a few"
        )
