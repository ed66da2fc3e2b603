"""What a user's server reaches of others: a scan from inside of it.

Reached is what a packet leaves the server for, whether or not there is an answer. So it makes no
difference whether anything listens there now.
"""

import ipaddress
import json
from collections.abc import Iterable

from tests.support.site import Site, run

# ssh, DNS, http and https, NFS, the engine, the Swarm and its overlay networks, MLflow and the
# registry, PostgreSQL, the proxy, the hub, the gate, the keeper, the package index, JupyterLab.
PORTS = (
    *(22, 53, 80, 443, 2049, 2375, 2376, 2377, 4789, 5000, 5001, 5432, 7946),
    *(8000, 8001, 8080, 8081, 8090, 8091, 8092, 8888),
)
ALL_PORTS = range(1, 65536)
LINK_LOCAL = ("169.254.169.254", "169.254.0.1", "fe80::1", "fd00:ec2::254", "ff02::1")
PROGRAM = """
import contextlib, json, socket, sys

KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}

def sent():
    rows = [line.split() for line in open("/proc/net/dev") if ":" in line and "lo:" not in line]
    return sum(int(row[10]) for row in rows)

def leaves(address, kind, ports):
    before = sent()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in ports:
        with socket.socket(family, KINDS[kind]) as connection, contextlib.suppress(OSError):
            connection.setblocking(False)
            connection.connect_ex((address, port))
            if kind == "udp":
                connection.send(b"?")
    return sent() > before

def reached(address, kind, ports):
    # The server itself may send something meanwhile: once without a packet is enough.
    if not leaves(address, kind, ports):
        return []
    if len(ports) > 1:
        half = len(ports) // 2
        parts = ports[:half], ports[half:]
        return [port for part in parts for port in reached(address, kind, part)]
    return ports if all(leaves(address, kind, ports) for _ in range(5)) else []

asked = json.load(sys.stdin)
found = []
for address in asked["addresses"]:
    for kind in KINDS:
        for first in range(0, len(asked["ports"]), 256):
            ports = asked["ports"][first : first + 256]
            found += [[address, port, kind] for port in reached(address, kind, ports)]
json.dump(found, sys.stdout)
"""

Reached = set[tuple[str, int, str]]  # address, port, tcp or udp


def scan(
    site: Site, service: str, addresses: Iterable[str], ports: Iterable[int] = PORTS
) -> Reached:
    """Give what the server reaches of these ports of these addresses."""
    asked = json.dumps({"addresses": list(addresses), "ports": list(ports)})
    container = site.container(service)
    found = site.docker("exec", "--interactive", container, "python3", "-c", PROGRAM, stdin=asked)
    return {(address, port, kind) for address, port, kind in json.loads(found)}


def address(site: Site, service: str) -> str:
    """Address of a service, by its short or full name, in the network of users."""
    network = f"{site.name}_users"
    form = f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}'
    return site.docker("inspect", "--format", form, site.container(service))


def own_addresses(site: Site, service: str) -> set[str]:
    """Addresses of a service's container."""
    return set(site.exec(service, "hostname", "--all-ip-addresses").split())


def of_node(*enter: str) -> set[str]:
    """Addresses of this machine, or of one that is entered by a command."""
    found = json.loads(run(*enter, "ip", "-json", "address").stdout)
    every = {each["local"] for link in found for each in link["addr_info"]}
    return {each for each in every if not ipaddress.ip_address(each).is_loopback}


def on_bridge(site: Site) -> set[str]:
    """Addresses, on the bridge to the outside, of the site's containers and users' servers."""
    ours = site.docker("ps", "--quiet", "--no-trunc", "--filter", f"name={site.name}").split()
    (bridge,) = json.loads(site.docker("network", "inspect", "docker_gwbridge"))
    there = bridge["Containers"]
    return {there[each]["IPv4Address"].partition("/")[0] for each in ours if each in there}


def allowed(site: Site) -> Reached:
    """All that a server may reach of a platform whose site is opened by a name."""
    return {(address(site, "nginx"), site.port, "tcp"), (address(site, "hub"), 8081, "tcp")}


def around(site: Site, service: str, other: str) -> set[str]:
    """Addresses near a server: the platform's, the node's, another server's; not its own."""
    named = {address(site, name) for name in ("nginx", "hub", "proxy", other)}
    return (named | of_node() | on_bridge(site)) - own_addresses(site, service)
