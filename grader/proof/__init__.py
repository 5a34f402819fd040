"""Whether a result still is what was graded: audit of a results folder, replay of a transcript.

Doors: `grader.proof.audit.audit` and `grader.proof.replay.replay`.
"""
