"""Loaded once, lazy, and at a cost that is comparable with the judge's own.

CPU time on both sides, so that neighbours do not count. Seen on one machine: correct solutions cost
1 to 7 times the reference, a library's vectorizer that is called for each ticket about 20, parsing
the model anew for each ticket more than 60. What a long batch leaves in memory is looked at in
``test_batches.py``.
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
    cost_ratio,
    known_words,
    labels_of,
    loaded,
    predicted,
)

from grader.judge.compare import assert_value
from grader.wire.values import FileTree

ONCE = "When is the model read? Delete the folder after loading."
COST = "How much work is done for each ticket that could be done once?"
LAZY = "How many tickets are taken before the first result comes out?"
TIMES = 40.0


@pytest.mark.criterion("solving_scale", sheet="load-once", hint=ONCE)
def test_the_folder_may_disappear(solution):
    """Once loaded, a pipeline answers although its model's files are gone."""
    folder = solution.make(FileTree(dict(FILES)))
    pipeline = solution.keep.load_pipeline(folder)
    for name in FILES:
        solution.keep.call(folder.joinpath, name).unlink()
    assert_works(solution, pipeline)


@pytest.mark.criterion("solving_scale", sheet="load-once", hint=ONCE)
def test_the_folder_may_change(solution):
    """Files that change after loading have no effect."""
    folder = solution.make(FileTree(dict(FILES)))
    pipeline = solution.keep.load_pipeline(folder)
    assert_works(solution, pipeline)
    for name in FILES:
        solution.keep.call(folder.joinpath, name).write_bytes(b"changed")
    assert_works(solution, pipeline)


@pytest.mark.criterion("solving_scale", sheet="speed", hint=COST)
def test_throughput(solution, measure, rng):
    """300 short tickets in batches cost a bounded multiple of the reference's best of three."""
    words = known_words(rng, 100)
    texts = [" ".join(rng.choice(words, size=3, replace=False)) for _ in range(300)]
    MODEL.probabilities(texts[:20])
    watches = []
    for _ in range(3):
        with solution.stopwatch() as watch:
            MODEL.probabilities(texts)
        watches.append(watch)
    ours = min(watches, key=lambda watch: watch.cpu_ns if watch.cpu_ns > 0 else watch.wall_ns)
    pipeline = loaded(solution)
    load = solution.last
    assert_works(solution, pipeline)  # whatever is compiled or imported once is no part of the cost
    basket = solution.make([])
    take = basket.extend
    results = solution.keep.call(pipeline.predict_batch, texts, batch_size=100)
    theirs = [solution.last]
    take(results)
    theirs.append(solution.last)
    copied = basket.copy()
    theirs.append(solution.last)  # what a result works out when it is looked at counts as well
    answered = labels_of(copied)
    assert_value(len(answered), len(texts), what="number of results")
    ratio = cost_ratio(theirs, ours)
    measure("cost of 300 tickets", ratio, "times the reference", TIMES, volatile=True)
    measure("cost of loading", load.cpu_ns / 1e6, "ms", volatile=True)
    if not ratio <= TIMES:
        raise AssertionError(f"300 tickets cost more than {TIMES:.0f} times the reference")


@pytest.mark.criterion("solving_scale", sheet="load-once", hint=COST)
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


@pytest.mark.criterion("solving_scale", sheet="lazy", hint=LAZY)
def test_results_come_while_texts_are_read(solution, rng):
    """At any moment at most two batches of tickets have been taken ahead of the results."""
    texts = known_words(rng, 40)
    taken = [0]

    def source():
        for text in texts:
            taken[0] += 1
            yield text

    pipeline = loaded(solution)
    for size in (4, 1):
        taken[0] = 0
        results = solution.keep.call(pipeline.predict_batch, source(), batch_size=size)
        replies = []
        for reply in results:
            replies.append(reply)
            ahead = taken[0] - len(replies)
            if ahead > 2 * size:
                raise AssertionError(f"{ahead} tickets were taken ahead, with batch_size={size}")
        assert_batch(replies, texts)
