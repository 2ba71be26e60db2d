"""`racewindow ci`: the failures of the past and every target of a project, each held against what is expected of it.

Data flow: `config` (what `pyproject.toml` says) -> `past` and `targets` (what became of it) -> `rows` -> one file for
each form of output, all of which only read rows.
"""
