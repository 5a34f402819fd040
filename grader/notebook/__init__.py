"""Notebooks on the host: read as data, chosen by the contract, converted. None is ever run here.

Door: `grader.notebook.resolve.resolve`.
"""
