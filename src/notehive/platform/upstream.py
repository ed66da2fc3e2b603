"""The upstream package index of the service `pypi`: its address, and what it is shown."""

from urllib.parse import urlsplit, urlunsplit

from pip._internal.models.index import PyPI  # pip tells its default nowhere else

from notehive.settings import Settings

DEFAULT = f"{PyPI.simple_url}/"  # what pip would ask


def address(settings: Settings) -> str:
    """Give where it is, without the login that the setting may hold: others read this."""
    parts = urlsplit(settings.mirrors.pypi or DEFAULT)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def login(settings: Settings) -> str:
    """Give that login as it stands in the setting, `user:password` or a token; empty for none."""
    if not settings.services.pypi:
        return ""
    return urlsplit(settings.mirrors.pypi).netloc.rpartition("@")[0]
