"""Typed settings, and the only reader of settings.yml.

Each setting is declared once (`model`, `login`), with its type (`values`), its default and its
help. What a person reads (``./notehive settings``, docs/settings.md) is made from that.
"""

from notehive.settings.description import describe
from notehive.settings.login import Auth, Ldap, LockOut, OAuth
from notehive.settings.model import (
    Culling,
    Group,
    Image,
    Limits,
    Mirrors,
    Opening,
    OwnConfig,
    Resources,
    Services,
    Settings,
    Size,
    Storage,
    home_quota,
)
from notehive.settings.notify import Email, Notify
from notehive.settings.outside import External
from notehive.settings.reading import load, parse
from notehive.settings.values import (
    EVERYONE,
    GIB,
    MOST_PIDS,
    WRITABLE,
    format_memory,
    parse_memory,
)

__all__ = [
    "EVERYONE",
    "GIB",
    "MOST_PIDS",
    "WRITABLE",
    "Auth",
    "Culling",
    "Email",
    "External",
    "Group",
    "Image",
    "Ldap",
    "Limits",
    "LockOut",
    "Mirrors",
    "Notify",
    "OAuth",
    "Opening",
    "OwnConfig",
    "Resources",
    "Services",
    "Settings",
    "Size",
    "Storage",
    "describe",
    "format_memory",
    "home_quota",
    "load",
    "parse",
    "parse_memory",
]
