"""Evidence → criteria → levels → score and band. Pure: nothing here reads or writes a file.

Door: `grader.scoring.score.score`.
"""
