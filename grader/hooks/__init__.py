"""Messages to a team's own service when something was graded or decided.

Doors: `grader.hooks.outbox.Outbox` keeps what is to be sent, `grader.hooks.send.send_due` sends it.
"""
