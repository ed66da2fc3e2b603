"""The only reader of settings.yml: a mistake is one line that says where it is."""

from pathlib import Path

from pydantic import ValidationError

from notehive.errors import BadInput
from notehive.settings.contradictions import contradictions
from notehive.settings.model import Settings
from notehive.typed_yaml import document
from notehive.typed_yaml.complaints import explain, location_of
from notehive.typed_yaml.document import Location, Mistake


def load(path: Path) -> Settings:
    """Read, check and give the settings of a file.

    Raises BadInput with one line for the first mistake: file, line, key, remedy.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(
            f"{path}: no such file; restore it with `git checkout settings.yml` "
            "or name another with --settings"
        ) from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    return parse(text, str(path))


def parse(text: str, place: str = "settings.yml") -> Settings:
    """Check the text of a settings file; ``place`` is its name in errors."""

    def fail(location: Location, message: str, line: int | None) -> BadInput:
        where = place if line is None else f"{place}:{line}"
        key = ".".join(map(str, location))
        return BadInput(f"{where}: {key}: {message}" if key else f"{where}: {message}")

    try:
        written = document.read(text)
    except Mistake as error:
        raise fail(error.location, error.message, error.line) from None
    if written.data is None:
        return Settings()
    if not isinstance(written.data, dict):
        raise fail((), "should be keys and values, like `name: notehive`", 1)
    try:
        settings = Settings.model_validate(written.data)
    except ValidationError as error:
        found = [(location_of(each), each) for each in error.errors()]
        # The first in the file; but a key that seems missing may just be misspelt.
        location, first = min(
            found, key=lambda each: (each[1]["type"] == "missing", written.line_of(each[0]))
        )
        raise fail(location, explain(first, Settings), written.line_of(location)) from None
    for location, message in contradictions(settings):
        raise fail(location, message, written.line_of(location))
    return settings
