"""What a run leaves: transcript, results folder, graded files, seed, binding and signature.

Door: `grader.record.results.ResultsFolder`.
"""
