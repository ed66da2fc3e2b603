"""The step's log: standard output, a line at a time, the reason of a failure last."""

import re
import sys

# What a terminal would have written over, as progress bars do.
OVERWRITTEN = re.compile(r"[^\n]*\r(?!\n)")


class Log:
    """Writes lines of the step's own, and what cells print, as it comes."""

    def __init__(self) -> None:
        self._at_start = True  # of a line

    def say(self, line: str) -> None:
        """Write a line of its own."""
        self.pass_on(("" if self._at_start else "\n") + line + "\n")

    def interrupted(self) -> None:
        """Take note that another process has written here, and may have ended within a line."""
        self._at_start = False

    def pass_on(self, text: str) -> None:
        """Write what a cell has printed, which may be part of a line."""
        if text := OVERWRITTEN.sub("", text):
            sys.stdout.write(text)
            sys.stdout.flush()
            self._at_start = text.endswith("\n")
