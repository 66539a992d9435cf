"""How far it has come, on standard error, while somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]


@contextmanager
def shown(what: str, total: int | None, unit: str = "rows") -> Iterator[Advance]:
    """Call what it gives with each number of rows, or other units, that are done.

    Shows nothing unless standard error is a terminal.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rows(ProgressColumn):
        """`1,200 of 10,000 rows, 3,400 a second`."""

        def render(self, task: Task) -> Text:
            of = "" if task.total is None else f" of {max(int(task.total), int(task.completed)):,}"
            rate = task.finished_speed or task.speed
            return Text(f"{int(task.completed):,}{of} {unit}" + (f", {rate:,.0f} a second" if rate else ""))

    columns = (TextColumn("{task.description}"), BarColumn(), Rows(), TimeRemainingColumn())
    # Redirected output is the data's: nothing of it may pass through the console.
    with Progress(
        *columns, console=Console(stderr=True), redirect_stdout=False, redirect_stderr=False, transient=True
    ) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.advance(task, count)
