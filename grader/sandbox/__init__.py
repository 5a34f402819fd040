"""The host side of the sandbox: engine, images, locked-down containers, relay, limits, self-check.

Door: `grader.sandbox.workbench.Worker`.
"""
