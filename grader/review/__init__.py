"""The web app in which people decide. Extra ``review``: Starlette, uvicorn, Jinja2.

Doors: `grader.review.app.make_app` over `grader.review.board.Board`.
"""
