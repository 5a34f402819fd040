"""A collection on many machines by Dask: certificates, what workers carry, the client's loop.

Door: `grader.cluster.driver.grade_on`. Needs the extra ``cluster``.
"""
