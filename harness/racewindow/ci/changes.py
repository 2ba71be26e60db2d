"""Which targets have changed since a commit: those of whose sources git says so.

The sources of a target are the file of its function and what that imports, as far as it belongs to the project.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from racewindow.errors import InputError, UsageError
from racewindow.scenarios import Scenario


def changed_since(ref: str) -> frozenset[Path]:
    """Absolute paths of files that differ from a commit, those that git does not know yet included.

    Raises UsageError if there is no such commit, InputError if there is no git or no repository.
    """
    top = Path(_git("rev-parse", "--show-toplevel").strip())
    if ref.startswith("-") or not _is_commit(ref):
        raise UsageError(
            f"--since cannot be {ref!r}.",
            why="git knows no such commit here.",
            do="give a branch, a tag or a commit; in CI, fetch it first (its checkout may be shallow).",
        )
    tracked = _git("diff", "--name-only", "-z", ref, "--").split("\0")
    new = _git("ls-files", "--others", "--exclude-standard", "--full-name", "-z").split("\0")
    return frozenset((top / name).resolve() for name in (*tracked, *new) if name)


def sources_of(scenario: Scenario, target: str, feed: str | None = None) -> frozenset[Path]:
    """Absolute paths of what a target is made of, as far as it is in the current folder; installed packages are not."""
    named = target.rpartition(":")[0] or target
    found = {Path(each).resolve() for each in (named, feed) if each is not None and Path(each).is_file()}
    waiting = [sys.modules.get(getattr(scenario.function, "__module__", "") or "")]
    seen: set[str] = set()
    while waiting:
        module = waiting.pop()
        path = _own_file(module)
        if module is None or path is None or module.__name__ in seen:
            continue
        seen.add(module.__name__)
        found.add(path)
        waiting += [sys.modules.get(name) for name in _named_in(module)]
    return frozenset(found)


def _named_in(module: ModuleType) -> Iterable[str]:
    """Modules that a module refers to: imported as such, or the homes of what was imported from them."""
    for value in list(vars(module).values()):
        yield value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", "") or "")


def _own_file(module: ModuleType | None) -> Path | None:
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return None
    path = Path(file).resolve()
    inside = path.is_relative_to(Path.cwd().resolve()) and "site-packages" not in path.parts
    return path if inside else None


def _is_commit(ref: str) -> bool:
    try:
        _git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    except InputError:
        return False
    return True


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=True)  # noqa: S603, S607
    except FileNotFoundError:
        raise InputError("--since needs git, which is not here.", do="install it, or leave --since out.") from None
    except subprocess.CalledProcessError as error:
        why = f"git says: {(error.stderr or 'nothing').strip().splitlines()[-1]}"
        raise InputError("--since needs a git repository.", why=why, do="leave --since out.") from None
    return done.stdout
