"""Starts the wall of a node: `python3 -m notehive.wall`; what it is told is in its environment."""

import ipaddress
import os
import select
import sys
import time
from pathlib import Path

from notehive.wall import netlink
from notehive.wall.watch import Watch

ALIVE = Path("/tmp/alive")  # noqa: S108 - touched at each look, for the health check
BREATH_SECONDS = 0.01  # news come in bursts


def main() -> None:
    """Keep the walls for ever."""
    told = os.environ
    watch = Watch(
        stack=told["STACK"],
        users=ipaddress.IPv4Network(told["USERS"]),
        site=(told["HOST"], int(told["PORT"])),
        nodes=frozenset(ipaddress.ip_network(each) for each in told["NODES"].split()),
    )
    news = netlink.news()
    try:
        watch.prove()
    except OSError as error:
        sys.exit(f"wall: this node cannot have walls: {error}")
    while True:
        rest = watch.look()
        ALIVE.touch()
        if select.select([news], [], [], max(0, rest))[0]:
            time.sleep(BREATH_SECONDS)
            netlink.drain(news)


if __name__ == "__main__":
    main()
