"""What an exploration leaves on the disk: the files of failures, and the log of one execution."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from racewindow.errors import InputError
from racewindow.log import LogFile

if TYPE_CHECKING:
    from racewindow.failure import Failure
    from racewindow.scenarios import Scenario


class Keeper:
    """See the module's docstring. `notes`: where it says what it could not keep."""

    def __init__(self, scenario: Scenario, target: str, notes: dict[str, str]) -> None:
        self._scenario, self._target, self._notes = scenario, target, notes
        self._out: Path | None = None
        self.logfile: LogFile | None = None

    def prepare(self, out: str | Path | None, log: str | Path | None) -> None:
        """Refuse a folder or file that cannot be written before anything is run."""
        if out is not None:
            from racewindow.failure_file import check_writable  # not needed without files

            self._out = Path(out)
            check_writable(self._out)
        if log is not None:
            self.logfile = LogFile(log)

    def save(self, failure: Failure) -> str | None:
        """Write the file of a failure, or write it anew once it has been shrunk; its path."""
        if self._out is None:
            return None
        from racewindow.failure_file import save  # not needed without files

        try:
            return str(save(failure, self._out, target=self._target, scenario=self._scenario).resolve())
        except InputError as error:  # a failure that was found must not be lost to a full disk
            self._notes[str(error.what)] = f"the failure is reported here only: {error.what}"
            return None

    def close(self) -> None:
        """The log is whole."""
        if self.logfile is not None:
            self.logfile.close()
