"""Runs in the judge container: the pytest plugin, the proxy and the check library."""
