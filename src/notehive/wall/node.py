"""What the node itself is: its addresses, its containers' bridge, its name servers."""

import ipaddress
import socket
from pathlib import Path

from notehive.wall import netlink
from notehive.wall.rules import Network

BRIDGE = "docker_gwbridge"  # through it, containers on an overlay network reach the outside
RESOLVERS = Path("/etc/resolv.conf")  # the node's own: the wall is on the node's network


def networks() -> frozenset[Network]:
    """Give the node's own addresses, and the whole network of its containers' bridge."""
    bridge = next((index for index, name in socket.if_nameindex() if name == BRIDGE), 0)
    return frozenset(
        address.network if index == bridge else ipaddress.ip_network(address.ip)
        for index, address in netlink.addresses()
        if not address.ip.is_loopback and not address.ip.is_link_local
    )


def resolvers(file: Path = RESOLVERS) -> frozenset[str]:
    """Give the addresses of the node's name servers, but for those of its own loopback.

    For these, the engine has containers ask others.
    """
    lines = (line.split() for line in file.read_text(encoding="utf-8").splitlines())
    named = (words[1] for words in lines if len(words) > 1 and words[0] == "nameserver")
    found = (ipaddress.ip_address(name.partition("%")[0]) for name in named)
    return frozenset(str(each) for each in found if not each.is_loopback)
