"""One exploration in a process of its own: prints its CPU seconds and the peak of its memory as JSON.

`python benchmarks/probe.py NUMBER EXECUTIONS`, NUMBER being the place of the program in `programs.PROGRAMS`.
"""

from __future__ import annotations

import json
import sys
import time

import measure
from programs import PROGRAMS


def main() -> None:
    """Explore as the arguments say."""
    program, executions = PROGRAMS[int(sys.argv[1])], int(sys.argv[2])
    for _ in range(3):  # what is made once in a process (imports, caches of modules looked through) is not measured
        measure.exploration(program.main, 10, footprints=False)
    started = time.process_time()
    measure.exploration(program.main, executions, footprints=False)
    print(json.dumps({"seconds": time.process_time() - started, "memory_mb": measure.peak_memory_mb()}))


if __name__ == "__main__":
    main()
