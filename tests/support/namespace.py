"""Network namespaces: machines of their own, as far as the network goes."""

from tests.support.site import run


def create(name: str, address: str, gateway: str) -> None:
    """Make one with an address; the other end of its cable is here, and has its name."""
    run("ip", "netns", "add", name)
    run(*f"ip link add {name} type veth peer name eth0 netns {name}".split())
    run(*f"ip -n {name} address add {address}/24 dev eth0".split())
    for end in ("lo", "eth0"):
        run("ip", "-n", name, "link", "set", end, "up")
    run("ip", "link", "set", name, "up")
    run(*f"ip -n {name} route add default via {gateway}".split())


def remove(name: str) -> None:
    """Take it away with its cable, as far as it is there."""
    run("ip", "netns", "delete", name, check=False)
    run("ip", "link", "delete", name, check=False)
