"""What a user name may be. Used by the operator's CLI and by the hub, so they agree."""

import unicodedata

LONGEST = 64
PUNCTUATION = ".-_@+"
JOB = "job:"  # begins the names of jobs, which no person can have
# Letters and marks that nothing is drawn for: with them a name could pass for another's.
INVISIBLE = frozenset(
    map(
        chr,
        (
            0x034F,
            *(0x115F, 0x1160),
            *(0x17B4, 0x17B5),
            *range(0x180B, 0x1810),
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ),
    )
)


def normalize_user_name(name: str) -> str:
    """Give the one spelling under which a user is known: composed, compatible, case-folded.

    ``Ana`` and ``ana`` are one user, full-width letters or not; so are the composed and the
    decomposed spelling of an accented letter. Never raises; the result may be refused by
    `check_user_name`.
    """
    while True:
        # Folding can undo a composition and the reverse, so go on until nothing changes.
        spelling = unicodedata.normalize("NFKC", name.casefold())
        if spelling == name:
            return name
        name = spelling


def check_user_name(name: str) -> str:
    """Give the normalized name.

    Raises ValueError with a sentence that says what is wrong. What is refused would be
    dangerous or ambiguous in an address, a path, a command or a table: slashes, spaces,
    quotes, control and invisible characters, ``%``, ``?``, ``#``, and two dots in a row.
    """
    name = normalize_user_name(name)
    if not name:
        raise ValueError("The user name is empty.")
    if len(name) > LONGEST:
        raise ValueError(f"A user name has at most {LONGEST} characters, not {len(name)}.")
    if not _is_letter_or_digit(name[0]):
        raise ValueError("A user name begins with a letter or a digit.")
    if ".." in name:
        raise ValueError("A user name has no two dots in a row.")
    for character in name:
        if not (_is_letter_or_digit(character) or _is_mark(character) or character in PUNCTUATION):
            raise ValueError(
                f"A user name has letters, digits and {' '.join(PUNCTUATION)} only, "
                f"not {_show(character)}."
            )
    return name


def job_identity(group: str) -> str:
    """Give the name under which the jobs of a group are known."""
    return f"{JOB}{group}"


def group_of_job(user: str) -> str:
    """Give the group whose jobs have this name, or nothing for a person."""
    return user.removeprefix(JOB) if user.startswith(JOB) else ""


def _is_letter_or_digit(character: str) -> bool:
    kind = unicodedata.category(character)
    return (kind[0] == "L" or kind == "Nd") and character not in INVISIBLE


def _is_mark(character: str) -> bool:
    # Vowels of several scripts are combining marks.
    return unicodedata.category(character) in ("Mn", "Mc") and character not in INVISIBLE


def _show(character: str) -> str:
    if character == " ":
        return "a space"
    if character.isprintable() and character not in INVISIBLE:
        return f'"{character}"'
    return f"the invisible character U+{ord(character):04X}"
