"""Many submissions at once: found, matched with a roster, each graded once, in one table.

Door: `grader.collect.book.book`, which ``grade collect`` calls.
"""
