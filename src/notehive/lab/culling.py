"""When this server will be stopped for want of use; the hub's culler does it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Culling:
    """What the hub said of idle servers, in seconds; 0 if it never stops them."""

    idle: float
    notice: float  # how long before its end people are told

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Culling":
        """Read what the hub gave (`notehive.hub.culling.server_env`)."""
        return cls(
            float(environment.get("NOTEHIVE_IDLE_SECONDS") or 0),
            float(environment.get("NOTEHIVE_NOTICE_SECONDS") or 0),
        )

    def stops_at(self, now: float, latest: float) -> float | None:
        """Give when a server last used at ``latest`` will be stopped, if it is time to say so."""
        end = latest + self.idle
        return end if self.idle and now >= end - self.notice else None

    @property
    def look_every(self) -> float:
        """Give the seconds between two looks at what runs."""
        return min(5.0, self.idle / 20) if self.idle else 5.0
