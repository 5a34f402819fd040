"""For authors: labelled solutions, the gate before use, the lint, import of old formats.

Door: `grader.authoring.verify`, which ``grade verify`` calls.
"""
