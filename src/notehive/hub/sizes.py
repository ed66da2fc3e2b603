"""What a server is told of its size, for when it turns out too small."""

import json
from collections.abc import Sequence

from notehive.hub.amounts import cpus, memory
from notehive.hub.config import HubConfig


def larger(config: HubConfig, may: Sequence[str], size: str) -> list[str]:
    """Give the sizes with more memory that a user may choose (``may``), smallest first."""
    least = config.sizes[size].limit.memory
    ordered = sorted(may, key=lambda key: config.sizes[key].limit.memory)
    return [key for key in ordered if config.sizes[key].limit.memory > least]


def server_env(config: HubConfig, may: Sequence[str], size: str) -> dict[str, str]:
    """Give the environment that names a server's size, and those that its user may go on to."""
    more = [
        {
            "key": key,
            "title": config.sizes[key].title or key,
            "limit": f"{cpus(limit.cpu)}, {memory(limit.memory)}",
        }
        for key in larger(config, may, size)
        for limit in [config.sizes[key].limit]
    ]
    return {"NOTEHIVE_SIZE": size, "NOTEHIVE_LARGER_SIZES": json.dumps(more)}
