"""The one door to the screen library: titles, names, paths and messages are printed as written, never as markup.

Brackets in a text are no markup, `:smile:` is no picture, and a control character cannot command the terminal. Nothing
else in the project makes a console, a bar or a spinner of its own (`tests/project/test_project.py`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.segment import Segment
from rich.text import Text

from analysis.terminal.streams import printable

FILE_WIDTH = 160  # columns of a table that goes into a file or a pipe, where no edge asks for narrow cells
Item = TypeVar("Item")
Note = Callable[..., None]
"""Takes what a bar shows: `completed`, `total`, and the fields of its text."""


class PlainConsole(Console):
    """A console on standard output or standard error that prints every text as it stands."""

    def __init__(self, *, stderr: bool = False, **options: Any) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False, **options)
        if not self.is_terminal and "width" not in options and "COLUMNS" not in os.environ:
            self.width = FILE_WIDTH

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is printed, its control characters replaced; those of the console itself pass."""
        for part in super().render(renderable, options):
            yield part if part.control else Segment(printable(part.text), part.style)


def say_error(text: str) -> None:
    """One line on standard error, whatever stands in the text."""
    PlainConsole(stderr=True).print(" ".join(text.split()), soft_wrap=True)


@contextmanager
def bar(
    text: str, *, total: float | None = None, left: bool = False, transient: bool = True, **fields: Any
) -> Iterator[Note]:
    """A bar on standard error; the block tells it how far it is.

    text: a format of `task` and its `fields`, which hold whatever comes from a user; left: also tell the time left,
    and take the whole width; transient: leave nothing behind.
    """
    columns: Sequence[ProgressColumn] = (
        BarColumn(bar_width=None if left else 40),
        TextColumn(text, markup=False),
        TimeElapsedColumn(),
        *((TextColumn("left", markup=False), TimeRemainingColumn()) if left else ()),
    )
    console = PlainConsole(stderr=True)
    with Progress(*columns, console=console, refresh_per_second=5, expand=left, transient=transient) as bars:
        task = bars.add_task("", total=total, **fields)
        yield lambda **now: bars.update(task, **now)


def counted(items: Iterable[Item], text: str, total: int, *, shown: bool = True) -> Iterator[Item]:
    """The items, with a bar on standard error that counts them."""
    if not shown:
        yield from items
        return
    with bar("{task.fields[says]}, {task.completed:,.0f} of {task.total:,.0f}", total=total, says=text) as note:
        for done, item in enumerate(items, start=1):
            yield item
            note(completed=done)


@contextmanager
def busy(text: str) -> Iterator[None]:
    """Say on standard error what is being done, until the block is left."""
    with PlainConsole(stderr=True).status(Text(text), spinner="line"):  # its signs exist in every encoding
        yield
