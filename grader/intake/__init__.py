"""A zip, a tar, a folder or one file, read once into memory; what cannot be graded is refused here.

Door: `grader.intake.submission.read_submission`.
"""
