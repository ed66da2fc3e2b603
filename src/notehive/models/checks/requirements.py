"""requirements.txt: the packages that a build adds to the image, by name and version alone.

A build reaches the platform's package index and nothing else, so addresses, paths and options
could not work there.
"""

import re
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement

from notehive.models.checks.subject import Subject
from notehive.models.problem import Problem

FILE = "requirements.txt"
MOST_BYTES = 1024 * 1024
HASH = re.compile(r"\s--hash=sha(?:256|384|512):[0-9a-f]+(?=\s|$)")
COMMENT = re.compile(r"(?:^|\s)#.*")


def check(subject: Subject) -> Iterator[Problem]:
    """Give the lines of requirements.txt that a build could not take."""
    if FILE not in subject.paths or FILE in subject.escaping:
        return
    path = subject.root / FILE
    if not path.is_file():
        yield Problem(FILE, "", "is no file", "make it one, or remove it")
        return
    try:
        if path.stat().st_size > MOST_BYTES:
            yield Problem(FILE, "", "is larger than 1 MiB", "list only what the notebooks import")
            return
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        yield Problem(FILE, "", f"cannot be read: {error.strerror}", "make it readable")
        return
    except UnicodeDecodeError:
        yield Problem(FILE, "", "is not UTF-8 text", "save it as UTF-8")
        return
    for number, line in lines(text):
        found = parse(line)
        if isinstance(found, str):
            yield Problem.of(FILE, f"line {number}", found)


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Give each requirement's line without comments, continued ones joined, with its number."""
    begin, whole = 1, ""
    for number, line in enumerate([*text.splitlines(), ""], 1):
        begin = begin if whole else number
        whole += line.removesuffix("\\")
        if line.endswith("\\"):
            continue
        if bare := COMMENT.sub("", whole).strip():
            yield begin, bare
        whole = ""


def parse(line: str) -> Requirement | str:
    """Give the requirement, or ``what; remedy``."""
    bare = HASH.sub("", line).strip()
    if re.match(r"--?(?:e|editable)\b", bare):
        return f"{bare}: is installed from a folder; put the code into the project"
    if re.match(r"--?(?:i|index-url|extra-index-url|find-links|f)\b", bare):
        return f"{_without_password(bare)}: names an index; remove it, the platform's is asked"
    if bare.startswith("-"):
        return f"{bare}: is an option; write the requirements themselves"
    if re.match(r"[./~]|file:|[A-Za-z]:\\", bare) or bare.endswith((".whl", ".tar.gz", ".zip")):
        return f"{bare}: is a path; name a package and its version"
    try:
        found = Requirement(bare)
    except InvalidRequirement:
        address = re.match(r"[a-z+]+://|git@", bare)
        what = "is an address" if address else "is no requirement"
        return f"{_without_password(bare)}: {what}; write it like polars>=1.30"
    if found.url:
        what = f"{found.name}: is fetched from an address, which builds do not reach"
        return f"{what}; name a version that the package index has"
    return found


def required(text: str) -> list[Requirement]:
    """Give the requirements of a file that are right, those for other systems left out."""
    parsed = [parse(line) for _, line in lines(text)]
    return [
        each
        for each in parsed
        if isinstance(each, Requirement) and (each.marker is None or each.marker.evaluate())
    ]


def _without_password(text: str) -> str:
    return re.sub(r"//[^/@\s]*@", "//", text)
