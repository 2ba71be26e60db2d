"""Progress on a terminal: a panel where one can be drawn, a line where there is less room, else lines now and then.

Nothing at all is written where there is no terminal: there, progress would be noise. No thread: the screen changes in
`show` and nowhere else, so that nothing of it happens while a program is explored.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, TextIO

from racewindow.budget import Progress, ShrinkProgress
from racewindow.progress import progress_line, shrink_line
from racewindow.progress_panel import Panel, Row, explain_panel, exploration_panel, shrink_panel
from racewindow.sparkline import ASCII_BLOCKS, BLOCKS, sparkline
from racewindow.virtual import real

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.text import Text

WIDTH = 60
"""Columns of the panel, whatever the terminal has: it then stays whole when a window is made narrower, down to this."""
DRAWN_EVERY, SAID_EVERY = 0.2, 5.0
"""Seconds at least between two pictures of a panel, and between two lines where nothing can be drawn."""
_ROOM, _LABEL, _CURVE = WIDTH - 4, 12, 24
_IN_ASCII = str.maketrans({"·": "-", "×": "x"})


class ProgressView:
    """Shows progress on `stream` if that is a terminal and it is wanted; does nothing at all otherwise.

    Used as a context manager; what was drawn is gone when it ends. A terminal that cannot draw (TERM=dumb), or whose
    output is kept (the variable CI is set), gets a plain line every few seconds.
    """

    def __init__(self, stream: TextIO, *, wanted: bool = True) -> None:
        self._stream = stream
        self._wanted = wanted and stream.isatty()
        self._live: Live | None = None
        self._next = 0.0

    def __enter__(self) -> Self:
        if self._wanted:
            self._next = real.monotonic() + SAID_EVERY
            self._start()
        return self

    def _start(self) -> None:
        """Take over the last lines of the terminal, if they can be drawn over and over."""
        from rich.console import Console
        from rich.live import Live

        colours: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
        console = Console(file=self._stream, highlight=False, color_system=colours)
        if not console.is_interactive or os.environ.get("CI", "") not in ("", "0", "false"):
            return
        live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)
        try:
            live.start()
            console.show_cursor()  # so that a shell has it after Ctrl-Z, or if the process is killed
        except OSError:  # the terminal is gone
            self._wanted = False
            return
        self._live, self._next = live, 0.0

    def exploring(self, name: str) -> Callable[[Progress], None]:
        """Who is told of the progress of an exploration."""
        return lambda counts: self.show(partial(exploration_panel, name, counts), partial(progress_line, counts))

    def explaining(self, name: str) -> Callable[[Progress], None]:
        """Who is told of the progress of an explanation."""
        return lambda counts: self.show(partial(explain_panel, name, counts), partial(progress_line, counts))

    def shrinking(self, name: str) -> Callable[[ShrinkProgress], None]:
        """Who is told how far shrinking has come."""
        return lambda progress: self.show(
            partial(shrink_panel, name, progress), lambda width: shrink_line(progress)[:width]
        )

    def show(self, panel: Callable[[], Panel], line: Callable[[int], str]) -> None:
        """Show the panel, or else the line, made for a width; neither is made where it is not time for another one."""
        if not self._wanted:
            return
        now = real.monotonic()
        if now < self._next:
            return
        self._next = now + (SAID_EVERY if self._live is None else DRAWN_EVERY)
        try:
            if self._live is None:
                self._stream.write(line(80) + "\n")
                self._stream.flush()
            else:
                self._live.update(_picture(self._live.console, panel, line), refresh=True)
        except OSError:  # the terminal is gone; the work goes on
            self._wanted, self._live = False, None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is None:
            return
        live, self._live = self._live, None
        try:
            live.update("", refresh=True)  # else all of it would be drawn once more, were it higher than the terminal
            live.stop()
        except OSError:
            return


def _picture(console: Console, panel: Callable[[], Panel], line: Callable[[int], str]) -> RenderableType:
    from rich.text import Text

    if console.width < WIDTH:
        return Text(line(console.width), no_wrap=True, overflow="crop")
    return drawn(panel(), ascii_only=console.options.ascii_only)


def drawn(panel: Panel, *, ascii_only: bool = False) -> RenderableType:
    """A panel for rich, and below it an empty line: there the cursor rests, and a ^C that is typed does no harm."""
    from rich.console import Group
    from rich.panel import Panel as Frame
    from rich.text import Text

    title = Text(_shown(panel.title, ascii_only=ascii_only), style="bold")
    title.truncate(_ROOM, overflow="ellipsis")
    body = Text("\n").join(_row(each, ascii_only=ascii_only) for each in panel.rows)
    hint = Text(panel.hint, style="dim") if panel.hint else None
    frame = Frame(body, title=title, title_align="left", subtitle=hint, subtitle_align="right", width=WIDTH)
    return Group(frame, Text(" "))


def _row(row: Row, *, ascii_only: bool) -> Text:
    from rich.text import Text

    line = Text(no_wrap=True)
    line.append(f"{row.label:{_LABEL}}", style="dim")
    line.append(_shown(row.words, ascii_only=ascii_only), style="bold red" if row.alarming else "")
    columns = min(_CURVE, _ROOM - line.cell_len - 2)
    if row.curve and columns >= _CURVE // 3:
        line.append("  " + sparkline(row.curve, columns, ASCII_BLOCKS if ascii_only else BLOCKS), style="cyan")
    line.truncate(_ROOM, overflow="ellipsis")
    return line


def _shown(text: str, *, ascii_only: bool) -> str:
    """Without characters that control a terminal, or that it does not have."""
    shown = "".join(each if each.isprintable() else "?" for each in text)
    return shown.translate(_IN_ASCII).encode("ascii", "replace").decode() if ascii_only else shown
