"""What Lab is to tell its user, as it asks for it at ``BASE/notehive/notices``."""

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from notehive.lab import cgroup
from notehive.lab.activity import Activity
from notehive.lab.culling import Culling

OFTEN_SECONDS = 5.0  # between two questions of a page that is seen


class Notices:
    """Ended kernels, and the end of the server if it comes near."""

    def __init__(
        self,
        activity: Activity,
        culling: Culling,
        environment: Mapping[str, str] = os.environ,
        limit: int | None = None,
    ) -> None:
        self._activity, self._culling = activity, culling
        self._started = time.time()
        self._limit = cgroup.memory_limit() if limit is None else limit
        self._larger: list[dict[str, str]] = json.loads(
            environment.get("NOTEHIVE_LARGER_SIZES") or "[]"
        )
        self._hub = environment.get("JUPYTERHUB_BASE_URL", "")
        self._ended: list[dict[str, str]] = []

    def add_ended(self, name: str) -> None:
        """Note that the memory limit ended the kernel of a notebook, or (``""``) a program."""
        self._ended.append({"name": name})

    def show(self, now: float) -> dict[str, Any]:
        """Give everything, as JSON."""
        stops_at = self._culling.stops_at(now, self._activity.latest)
        return {
            "server": self._started,  # another server's ended kernels count anew
            "ended": self._ended,
            "memory_limit": self._limit,
            "larger_sizes": self._larger,
            "home": f"{self._hub}hub/home" if self._hub else "",
            # In seconds from now: the clock of a browser may be wrong.
            "stops_in": None if stops_at is None else max(0, round(stops_at - now)),
            "extends_by": self._culling.idle,
            "ask_again_in": min(OFTEN_SECONDS, self._culling.notice / 5 or OFTEN_SECONDS),
        }
