"""Progress with rate and time left: bars on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_SECONDS_BETWEEN_LINES = 10.0


class Reporter(Protocol):
    """What a job tells whoever watches it."""

    def start(self, what: str, total: int) -> None:
        """Begin a stage of `total` steps."""
        ...

    def step(self, failed: bool = False) -> None:
        """Count one step."""
        ...

    def say(self, text: str) -> None:
        """Show a line without disturbing the bar."""
        ...

    def detail(self, text: str) -> None:
        """Show something beside the bar, until the next."""
        ...


class Silent:
    """Watches nothing."""

    def start(self, what: str, total: int) -> None:
        """Begin a stage."""

    def step(self, failed: bool = False) -> None:
        """Count one step."""

    def say(self, text: str) -> None:
        """Show nothing."""

    def detail(self, text: str) -> None:
        """Show nothing."""


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        return Text(f"{speed:.1f}/s" if speed >= 1 else f"{1 / speed:.1f} s each", style="cyan")


class ConsoleReporter:
    """Shows a bar on a terminal; elsewhere a line when a stage begins, every ten seconds and at its end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._stage = self._detail = ""
        self._total = self._done = self._failed = 0
        self._began = self._said = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                _Rate(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("left"),
                TextColumn("{task.fields[detail]}"),
                TextColumn("{task.fields[failed]}", style="red"),
                console=self._console,
                speed_estimate_period=120,
            )
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def start(self, what: str, total: int) -> None:
        """Begin a stage of `total` steps."""
        self._stage, self._total, self._done, self._failed, self._detail = what, total, 0, 0, ""
        self._began = self._said = time.monotonic()
        if self._bar is not None:
            for task in list(self._bar.task_ids):
                self._bar.remove_task(task)
            self._bar.add_task(what, total=total, failed="", detail="")
        else:
            self.say(f"{what} ({total})" if total else f"{what} …")

    def step(self, failed: bool = False) -> None:
        """Count one step."""
        self._done += 1
        self._failed += failed
        if self._bar is not None:
            text = f"{self._failed} failed" if self._failed else ""
            self._bar.update(self._bar.task_ids[-1], advance=1, failed=text)
            return
        self._line(at_the_end=self._done == self._total > 1)

    def say(self, text: str) -> None:
        """Show a line without disturbing the bar."""
        self._console.print(text, highlight=False, markup=False)

    def detail(self, text: str) -> None:
        """Show something beside the bar, or in the next line, until the next detail."""
        self._detail = text
        if self._bar is None:
            self._line()
        elif self._bar.task_ids:
            self._bar.update(self._bar.task_ids[-1], detail=text)

    def _line(self, *, at_the_end: bool = False) -> None:
        """Print how far the stage is, where the last line lies long enough back."""
        now = time.monotonic()
        if not at_the_end and now - self._said < _SECONDS_BETWEEN_LINES:
            return
        self._said = now
        parts = [f"{self._stage}: {self._done}/{self._total}"]
        if self._done:
            spent = max(now - self._began, 1e-9)
            left = spent / self._done * (self._total - self._done)
            parts += [f"{self._done / spent:.2f}/s", f"{_clock(left)} left"]
        parts += [f"{self._failed} failed"] if self._failed else []
        self.say(", ".join([*parts, self._detail] if self._detail else parts))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
