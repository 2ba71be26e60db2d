"""What the pytest plugin costs a suite that has nothing to do with it: `python benchmarks/plugin.py`.

`pytest --collect-only` of an empty suite, with the plugin and without it, in processes that take turns. The other
plugins that happen to be installed are left out on both sides: they would cost more than what is measured.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence

COLLECT = (sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider")
CONTENDERS = {"without": (), "with": ("-p", "racewindow.pytest_plugin")}
AT_MOST_MS = 30


def cpu_seconds(command: Sequence[str], folder: str) -> float:
    """CPU time of one process, its start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPYCACHEPREFIX": folder}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # every run but the first has the byte code of the one before
    done = subprocess.run(  # noqa: S603  # pytest
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 5:  # no tests collected
        sys.exit(done.stdout + done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each contender in each round."""
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds + 1):  # one more, which fills the caches
            for name, plugins in CONTENDERS.items():
                spent = cpu_seconds([*COLLECT, *plugins], folder)
                if number:
                    seconds[name].append(spent)
    return seconds


def main() -> None:
    """Measure, and print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="processes of each kind (20)")
    seconds = measure(parser.parse_args().rounds)
    print("| `pytest --collect-only` of an empty suite | best | median |")
    print("|---|---|---|")
    for name, spent in seconds.items():
        print(f"| {name} the plugin | {min(spent) * 1000:.0f} ms | {statistics.median(spent) * 1000:.0f} ms |")
    more = (min(seconds["with"]) - min(seconds["without"])) * 1000
    met = "met" if more <= AT_MOST_MS else "missed"
    print(f"\nThe plugin costs {more:.1f} ms; at most {AT_MOST_MS} ms is asked for: {met}.")


if __name__ == "__main__":
    main()
