"""requirements.txt, read so strictly that pip does nothing else than install what is named.

Options would let it ask other indexes, paths and addresses would let it read other files.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Parsed
from packaging.utils import canonicalize_name

from notehive.errors import BadInput

FILE = "requirements.txt"
HASH = re.compile(r"\s--hash=(sha(?:256|384|512):[0-9a-f]+)(?=\s|$)")
MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Requirement:
    """One requirement."""

    name: str  # as all spell it
    line: str  # as pip is given it


def of(directory: Path) -> tuple[Requirement, ...]:
    """Give the requirements of a project; none if it has no such file. Raises BadInput."""
    path = directory / FILE
    if not path.exists():
        return ()
    if path.stat().st_size > MOST_BYTES:
        raise BadInput(f"{FILE}: is larger than {MOST_BYTES >> 20} MB; it should be a short list")
    try:
        return tuple(read(path.read_text(encoding="utf-8")))
    except UnicodeDecodeError:
        raise BadInput(f"{FILE}: is not UTF-8 text; save it as UTF-8") from None


def read(text: str) -> Iterator[Requirement]:
    """Yield the requirements of a file's text. Raises BadInput at the first mistake."""
    for number, line in _joined(text):
        hashes = HASH.findall(line)
        bare = re.sub(r"(^|\s)#.*", "", HASH.sub("", line)).strip()
        if not bare:
            continue
        place = f"{FILE}:{number}: {bare}"
        if bare.startswith("-"):
            raise BadInput(f"{place}: options are not taken; the index is the platform's")
        try:
            parsed = Parsed(bare)
        except InvalidRequirement:
            raise BadInput(
                f"{place}: is no requirement like `polars>=1.30`; paths are not taken"
            ) from None
        if parsed.url:
            raise BadInput(f"{place}: addresses are not taken; name a version of the index")
        options = "".join(f" --hash={each}" for each in hashes)
        yield Requirement(canonicalize_name(parsed.name), f"{parsed}{options}")


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines, with those that continue them, and the number of the first."""
    first, whole = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        first = first or number
        whole += line.removesuffix("\\")
        if not line.endswith("\\"):
            yield first, whole
            first, whole = 0, ""
    if whole:
        yield first, whole
