"""Exemplars for the static checks are read, never collected."""

collect_ignore_glob = ["*"]
