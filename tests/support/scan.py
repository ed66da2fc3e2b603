"""What a user's server reaches of others: a scan from inside of it.

Of what is walled off the kernel says so itself, and no packet leaves the server. Whatever else
happens counts as reached: an answer, a refusal by who is there, silence.
"""

import ipaddress
import json
from collections.abc import Iterable

from tests.support.site import Site, run

# ssh, DNS, http and https, NFS, the engine, the Swarm and its overlay networks, MLflow and the
# registry, PostgreSQL, the proxy, the hub, the gate, the keeper, JupyterLab.
PORTS = (
    *(22, 53, 80, 443, 2049, 2375, 2376, 2377, 4789, 5000, 5001, 5432, 7946),
    *(8000, 8001, 8080, 8081, 8090, 8091, 8888),
)
ALL_PORTS = range(1, 65536)
LINK_LOCAL = ("169.254.169.254", "169.254.0.1", "fe80::1", "fd00:ec2::254", "ff02::1")
PROGRAM = """
import errno, json, socket, sys

WALLED = {errno.EHOSTUNREACH, errno.EPERM}
NO_SUCH_NETWORK = {errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL}

def leaves(kind, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, kind) as connection:
            connection.settimeout(2)
            connection.connect((address, port))
            connection.send(b"?")
        return True
    except OSError as error:
        here = WALLED | (NO_SUCH_NETWORK if family == socket.AF_INET6 else set())
        return error.errno not in here

asked = json.load(sys.stdin)
kinds = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
json.dump([
    [address, port, name]
    for address in asked["addresses"] for port in asked["ports"] for name, kind in kinds.items()
    if leaves(kind, address, port)
], sys.stdout)
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
