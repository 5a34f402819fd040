"""Mutants of correct solutions: small defects that a hidden suite has to find.

`operators` and `ml_operators` propose changes, `source` writes them into the text, `mutants` names
them, `notes` reads ``mutants.toml``, `run` runs them in the author mode, `report` and `page` tell.
"""
