"""What a long batch leaves behind.

Memory is the container's peak during a call, measured from outside: the test looks at what a batch
adds to that of a shorter one of the same kind. Seen on one machine: correct solutions add 1 MiB at
most, keeping texts or dense vectors 11 and more. Results that are kept without their texts add 0.4
and are not seen.
"""

from __future__ import annotations

import pytest
from data import assert_batch, known_words, loaded

from grader.wire.recipes import last_items, numbered_texts

MEMORY = "What is kept of a ticket after its result was handed out?"
MIB = 1 << 20
GROWTH = 3.0
EMOJI = "\U0001f642"
COUNT = 400
WARM = 60


@pytest.mark.criterion("solving_scale", sheet="lazy", hint=MEMORY)
def test_memory_over_many_tickets(solution, measure, rng):
    """400 different tickets through one iterator need no more memory than 60."""
    (word,) = known_words(rng, 1)
    # 40 kB each, as a tag, which the first step removes: they take room, and hardly any time.
    template = f"{word} <{{}} {EMOJI * 10_000}>"
    pipeline = loaded(solution)
    peaks, kept_of = [], []
    for count in (WARM, COUNT):
        texts = solution.make(numbered_texts(template, count=count))
        results = solution.keep.call(pipeline.predict_batch, texts, batch_size=20)
        kept = solution.make(last_items(30))
        kept.extend(results)
        peaks.append(solution.last.peak_bytes)
        kept_of.append(kept)
    # Looked at only now: a result that holds its ticket, which `hygiene` charges, takes room on its
    # way here.
    for count, kept in zip((WARM, COUNT), kept_of, strict=True):
        assert_batch(solution.items(kept), [template.replace("{}", str(count - 1))] * 30)
    if min(peaks) < 0:
        return  # the engine does not tell
    growth = (peaks[1] - peaks[0]) / MIB
    measure("memory of 400 tickets", growth, "MiB more", GROWTH, volatile=True)
    if not growth <= GROWTH:
        raise AssertionError(f"400 tickets need more than {GROWTH:.0f} MiB more than 60")
