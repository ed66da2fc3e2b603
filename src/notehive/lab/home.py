"""What the user's home holds, as the hub knows it: it asks whoever measures homes."""

import json
import os
from collections.abc import Mapping
from typing import Any

from tornado.httpclient import AsyncHTTPClient

EVERY_SECONDS = 300.0  # homes are measured less often


class Home:
    """The space that is used, and the quota (bytes)."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._api = environment.get("JUPYTERHUB_API_URL", "")
        self._token = environment.get("JUPYTERHUB_API_TOKEN", "")
        self._looked = 0.0
        self._used = self._quota = 0

    def is_due(self, now: float) -> bool:
        """Say whether to look again; never without a hub."""
        return bool(self._api) and now >= self._looked + EVERY_SECONDS

    async def look(self, now: float) -> None:
        """Ask the hub. Raises an exception of the HTTP client if it does not answer."""
        self._looked = now
        headers = {"Authorization": f"token {self._token}"}
        answer = await AsyncHTTPClient().fetch(f"{self._api}/storage", headers=headers)
        found = json.loads(answer.body)
        self._used, self._quota = found["used"], found["quota"]

    def show(self) -> dict[str, Any]:
        """Give what Lab tells the user, as JSON; a quota of 0 is none."""
        return {"home_used": self._used, "home_quota": self._quota}
