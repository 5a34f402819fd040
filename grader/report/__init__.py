"""A run's report in every format, one module each, made from the results folder alone.

Door: `grader.report.formats.render`.
"""
