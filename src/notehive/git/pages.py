"""What cgit is told for one request: the repositories that the reader may see, and no others."""

from collections.abc import Iterable

from notehive.git.repositories import Repository

PROGRAM = "/usr/lib/cgit/cgit.cgi"
STYLE = "/usr/share/cgit/cgit.css"
FIXED = "/opt/notehive/git/cgitrc"

# Cgit writes its pages itself and escapes what it shows; nothing in them has to run.
OF_PAGES = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
# What is given as users made it is of no origin, and runs nothing either.
OF_FILES = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


def configuration(shown: Iterable[Repository], url: str) -> bytes:
    """Give cgit's configuration; ``url`` is where repositories are cloned from."""
    lines, section = [f"include={FIXED}"], ""
    for group, name, path in shown:
        if group != section:
            section = group
            lines.append(f"section={group}")
        lines += [
            f"repo.url={group}/{path.name}",
            f"repo.name={name}",
            f"repo.path={path}",
            f"repo.clone-url={url}/{group}/{path.name}",
        ]
    return "\n".join([*lines, ""]).encode()
