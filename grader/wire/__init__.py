"""The channel between judge and candidate: frames, and a codec that carries data only."""
