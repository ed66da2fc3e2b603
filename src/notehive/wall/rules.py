"""The rules of a server's namespace, as a script for `nft` that replaces the earlier ones at once.

They are the same for every server of a node: what differs from node to node and from moment to
moment are the elements of sets.
"""

import hashlib
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from notehive.wall import SIGN

FIXED = Path("/opt/notehive/wall/rules.nft")
CHOSEN = Path("/etc/notehive/walls.nft")  # what settings.yml says, which FIXED includes
TABLE = "inet notehive"
HUB_PORT = 8081

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Surroundings:
    """What is around the servers of a node now."""

    users: IPv4Network  # the network of all servers
    nodes: frozenset[Network]  # addresses of the nodes, and the bridge of their containers
    resolvers: frozenset[str]  # addresses of this node's name servers
    site: tuple[str, int]  # host and port of the site; the host may be an address
    services: Mapping[str, frozenset[str]]  # addresses of nginx, hub and proxy


def elements(around: Surroundings) -> dict[str, list[str]]:
    """Give the elements of each set that rules.nft leaves open."""
    nobody: frozenset[str] = frozenset()
    nginx, hub, proxy = (around.services.get(name, nobody) for name in ("nginx", "hub", "proxy"))
    host, port = around.site
    # A site that is opened by an address has no name that leads servers to Nginx itself.
    doors = {*nginx, host} if is_address(host) else nginx
    return {
        "platform": [
            *(f"{address} . {port}" for address in sorted(doors)),
            *(f"{address} . {HUB_PORT}" for address in sorted(hub)),
        ],
        "callers": sorted({*hub, *proxy}),
        "users": [str(around.users)],
        "nodes4": sorted(str(each) for each in around.nodes if each.version == 4),
        "nodes6": sorted(str(each) for each in around.nodes if each.version == 6),
        "resolvers4": sorted(each for each in around.resolvers if ip_address(each).version == 4),
        "resolvers6": sorted(each for each in around.resolvers if ip_address(each).version == 6),
    }


def script(around: Surroundings) -> str:
    """Give what `nft` is to do, in one transaction: there is no moment without rules."""
    lines = [f"add table {TABLE}", f"delete table {TABLE}", f'include "{FIXED}"']
    lines += [
        f"add element {TABLE} {name} {{ {', '.join(found)} }}"
        for name, found in elements(around).items()
        if found
    ]
    return "\n".join(lines) + "\n"


def sign(text: str, files: Iterable[Path] = (FIXED, CHOSEN)) -> str:
    """Give the sign of a namespace where this script has run with these files."""
    digest = hashlib.sha256(text.encode())
    for file in files:
        digest.update(file.read_bytes())
    return f"{SIGN} {digest.hexdigest()[:16]}"


def apply(text: str) -> None:
    """Run a script in the namespace of this process. Raises OSError with `nft`'s first words."""
    done = subprocess.run(
        ["nft", "--file", "-"], input=text, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OSError(f"nft: {done.stderr.strip().partition(chr(10))[0] or done.returncode}")


def is_address(host: str) -> bool:
    """Whether a host is an IPv4 address."""
    try:
        return ip_network(host).version == 4
    except ValueError:
        return False
