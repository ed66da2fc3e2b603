"""The keys that cookies are signed with, as Tornado's settings."""

from typing import Any

import tornado.web as tornado_web

from notehive.hub.config import read_keys


def cookie_settings(name: str) -> dict[str, Any]:
    """Give the settings for the key that is the Swarm secret ``name``, and for the former one."""
    # With keys by number, Tornado raises an error at whatever is not of its second version.
    tornado_web.DEFAULT_SIGNED_VALUE_MIN_VERSION = 2
    keys = read_keys(name)
    return {"cookie_secret": keys, "key_version": next(iter(keys))}
