"""Everything that the task asks for is there and answers a plain question."""

from __future__ import annotations

import pytest
from data import FIELDS, INVOICE, PARCEL, assert_batch, assert_labels, batched, field, loaded

HINT = "Run the sample tests: everything in the task sheet must exist and answer."


@pytest.mark.criterion("runs", sheet="answers", hint=HINT)
def test_predict_answers(solution):
    """load_pipeline gives a pipeline whose predict labels two tickets, with all five fields."""
    pipeline = loaded(solution)
    replies = [pipeline.predict(text) for text in (PARCEL, INVOICE)]
    assert_labels(replies, [PARCEL, INVOICE])
    for name in FIELDS:
        field(replies[0], name)


@pytest.mark.criterion("runs", sheet="answers", hint=HINT)
def test_predict_batch_answers(solution):
    """predict_batch labels a list of two tickets."""
    texts = [PARCEL, INVOICE]
    assert_batch(batched(solution, loaded(solution), texts), texts)
