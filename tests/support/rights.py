"""docs/rights.md as data: what each role may do, as the page says it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.support.site import ROOT

PAGE = ROOT / "docs/rights.md"


class Cell(NamedTuple):
    """One cell of a table: whether a role may do something."""

    section: str
    action: str
    role: str
    allowed: bool


def cells() -> Iterator[Cell]:
    """Every cell of the tables whose first column is "action"."""
    section, roles = "", list[str]()
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section, roles = line.removeprefix("## "), []
        columns = [column.strip() for column in line.strip("|").split("|")]
        if not line.startswith("|") or re.fullmatch(r"[|-]+", line):
            continue
        if columns[0] == "action":
            roles = columns[1:]
        elif roles:
            words = {"yes": True, "no": False}
            for role, word in zip(roles, columns[1:], strict=True):
                yield Cell(section, columns[0], role, words[word])
