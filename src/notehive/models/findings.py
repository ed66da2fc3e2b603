"""What is wrong with data: for each column and rule how often, and where first."""

from collections.abc import Sequence
from typing import Any

SHOWN = 5  # rows of one finding


class Findings:
    """Collects what is wrong over all pieces of a table."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[int, list[str]]] = {}

    def add(
        self, column: str, rule: str, rows: Sequence[int] = (), values: Sequence[Any] = ()
    ) -> None:
        """Add rows (counted from 0, as pandas does) whose values break a rule."""
        count, shown = self._found.get((column, rule), (0, []))
        room = SHOWN - len(shown)
        shown = shown + [
            f"row {row}: {value!s:.60}"
            for row, value in zip(rows[:room], values[:room], strict=True)
        ]
        self._found[column, rule] = count + len(rows), shown

    def lines(self) -> list[str]:
        """Say all that was found, a line for each column and rule."""
        return [
            f"column {column}: {rule}"
            + (f" in {count} rows ({'; '.join(shown)}{_more(count)})" if count else "")
            for (column, rule), (count, shown) in self._found.items()
        ]


def _more(count: int) -> str:
    return "; ..." if count > SHOWN else ""
