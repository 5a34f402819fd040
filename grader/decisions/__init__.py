"""What people decide about levels: an append-only log of events, and what follows from it.

Doors: `grader.decisions.log.Log` writes and reads, `grader.decisions.fold.fold` makes the state,
`grader.decisions.final.final_card` puts it over the machine's scorecard.
"""
