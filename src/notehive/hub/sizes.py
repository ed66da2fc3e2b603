"""Sizes in words, and which are larger than another."""

import json
from collections.abc import Sequence

from notehive.hub.config import HubConfig
from notehive.settings import Resources, format_memory


def amount(resources: Resources, separator: str = " · ") -> str:
    """Give CPU and memory as people read them: ``2 CPUs · 4 GB``."""
    memory = format_memory(resources.memory)
    unit = "CPU" if resources.cpu <= 1 else "CPUs"
    return f"{resources.cpu:g} {unit}{separator}{memory[:-1]} {memory[-1]}B"


def server_env(config: HubConfig, may: Sequence[str], size: str) -> dict[str, str]:
    """Give what a server of a size is told: its size, and which with more memory there are.

    ``may``: the sizes that its user may choose.
    """
    memory = config.sizes[size].limit.memory
    larger = [
        {
            "key": key,
            "title": config.sizes[key].title or key,
            "limit": amount(config.sizes[key].limit, ", "),
        }
        for key in sorted(may, key=lambda key: config.sizes[key].limit.memory)
        if config.sizes[key].limit.memory > memory
    ]
    return {"NOTEHIVE_SIZE": size, "NOTEHIVE_LARGER_SIZES": json.dumps(larger)}
