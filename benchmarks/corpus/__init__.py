"""The corpus: small programs whose traces, interleavings and failures were counted outside this project.

What a reduction is held to, and what strategies are compared on. `parts.py`: what programs are made of; `counted.py`
and `bugs.py`: the programs. No figure here was computed with the code that is tested against it.
"""

from __future__ import annotations

from corpus.bugs import BUGS
from corpus.counted import COUNTED
from corpus.parts import Program

PROGRAMS: dict[str, Program] = {program.name: program for program in (*COUNTED, *BUGS)}
assert len(PROGRAMS) == len(COUNTED) + len(BUGS)

__all__ = ["BUGS", "COUNTED", "PROGRAMS", "Program"]
