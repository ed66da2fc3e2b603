"""Paths of requests, as services behind the gate judge them."""

import re
from urllib.parse import unquote


def is_plain(path: str) -> bool:
    """Whether a path means the same to all who read it: nothing in it is encoded twice or a dot."""
    segments = path.removeprefix("/").split("/")
    return (
        unquote(path) == path
        and not re.search(r"[\x00-\x1f\x7f\\]", path)
        and not {".", ".."} & set(segments)
        and "" not in segments[:-1]
    )
