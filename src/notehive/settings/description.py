"""What people read of the settings: made from their declarations."""

from collections.abc import Iterator

from notehive.settings.model import Settings
from notehive.typed_yaml import section


def describe() -> Iterator[tuple[str, str, str]]:
    """Every setting as (key, default, help), sections in the order of declaration."""
    return section.describe(Settings)
