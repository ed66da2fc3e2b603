"""What the operator sees while `up` works: a live line for each step, and the time it took."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.text import Text


class Step:
    """A step that is being done."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.started = time.monotonic()
        self.said = ""
        self.skipped = False
        self._spinner = Spinner("dots")

    def say(self, text: str) -> None:
        """Show what is going on, beside the title."""
        self.said = text

    def skip(self, text: str) -> None:
        """Nothing had to be done, and why."""
        self.said, self.skipped = text, True

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self.started

    def __rich__(self) -> Spinner:
        text = Text(f"{self.title} ")
        text.append(f"{self.seconds:.0f} s ", "cyan")
        text.append(self.said.split("\n")[0][:100], "dim")
        self._spinner.update(text=text)
        return self._spinner


class Steps:
    """Prints steps on a console; several may be done at once by threads."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._lock = threading.Lock()
        self._running: list[Step] = []
        self._live: Live | None = None

    def heading(self, text: str) -> None:
        """Print the title of a part."""
        self.console.print(f"\n[bold]{text}[/bold]")

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step while the body runs, then its outcome and time."""
        step = Step(title)
        self._start(step)
        try:
            yield step
        except BaseException:
            self._finish(step, "[red]✗[/red]")
            raise
        self._finish(step, "[dim]·[/dim]" if step.skipped else "[green]✓[/green]")

    def _start(self, step: Step) -> None:
        with self._lock:
            self._running.append(step)
            if not self.console.is_terminal:
                return
            if self._live is None:
                self._live = Live(get_renderable=self._render, console=self.console, transient=True)
                self._live.start()

    def _render(self) -> Group:
        return Group(*self._running)

    def _finish(self, step: Step, mark: str) -> None:
        with self._lock:
            self._running.remove(step)
            if self._live is not None and not self._running:
                self._live.stop()
                self._live = None
            said = step.said.split("\n")[0]
            note = f" [dim]{escape(said)}[/dim]" if said else ""
            self.console.print(
                f" {mark} {escape(step.title)}{note} [cyan]{step.seconds:.1f} s[/cyan]",
                highlight=False,
                soft_wrap=True,  # a step is one line of a log, however narrow rich thinks that is
            )
