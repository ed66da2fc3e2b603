"""Files of the kernel, read as cheaply as can be: hundreds of them at each scrape."""

from collections.abc import Mapping


def read(path: str) -> str:
    """Give the text of a file. Raises OSError if there is none."""
    # (A Path would cost as much again.)
    with open(path, encoding="ascii", errors="replace") as file:  # noqa: PTH123
        return file.read()


def read_if_any(path: str) -> str:
    """Read what not every kernel has; nothing if there is none."""
    try:
        return read(path)
    except FileNotFoundError:
        return ""


def rows(text: str) -> Mapping[str, str]:
    """Give lines like ``oom_kill 0`` by their first words."""
    return dict(line.split(maxsplit=1) for line in text.splitlines())
