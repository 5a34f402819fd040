"""An exercise as typed objects: contract, rubric, hidden suite, starter.

Door: `grader.exercise.contract.load_exercise`.
"""
