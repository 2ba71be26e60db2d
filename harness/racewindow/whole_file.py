"""Writing a file all or not at all: whoever reads it meets what was there before, or what is there now."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

_PART = re.compile(r"\..+\.(\d+)\.tmp")
"""The name of a file that is being written, with the process that writes it."""


def write_whole(path: Path, content: bytes) -> None:
    """Write under another name in the same folder, then rename; raises OSError, and leaves nothing behind then."""
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    with contextlib.suppress(OSError):  # so that the name survives a power cut too, where the system can do that
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_text(path: Path, text: str) -> None:
    r"""Likewise, into a folder that is made if there is none; half a character, as no file can hold, as `\ud800`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode("utf-8", "backslashreplace"))


def remove_parts(folder: Path) -> None:
    """Remove what writers left behind that were killed; what cannot be removed stays."""
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            found = _PART.fullmatch(path.name)
            if found is not None and not _is_alive(int(found[1])):
                path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # somebody else's, or no number of a process
        return True
    return True
