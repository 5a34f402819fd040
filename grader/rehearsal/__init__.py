"""Labelled solutions without containers, in a process that the host starts and never imports."""
