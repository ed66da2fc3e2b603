"""What is wrong with a project: one line that names the file, the place in it and the remedy."""

from dataclasses import dataclass, fields

from notehive.typed_yaml.document import Location


@dataclass(frozen=True, order=True)
class Problem:
    """Something that keeps a project from being released.

    ``place`` is a key like ``pipelines.train.steps[1].needs``, ``cell 3`` or ``line 12``; empty
    if it is the whole file.
    """

    file: str
    place: str
    what: str
    remedy: str

    def __post_init__(self) -> None:
        # What people gave is quoted in it, and may be anything.
        for field in fields(self):
            text = getattr(self, field.name)
            object.__setattr__(self, field.name, _one_line(text))

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.file, self.place) if part)
        return f"{where}: {self.what}; {self.remedy}"

    @classmethod
    def of(cls, file: str, place: str, message: str) -> "Problem":
        """Take a message as validators raise it: ``what; remedy``."""
        what, _, remedy = message.partition("; ")
        return cls(file, place, what, remedy or "correct it")


def key(location: Location) -> str:
    """Give a place in a YAML file: ``pipelines.train.steps[1].needs``."""
    said = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return said.removeprefix(".")


LONGEST = 300


def _one_line(text: str) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 3]}..."
