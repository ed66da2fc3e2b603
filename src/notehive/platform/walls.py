"""What the settings say of walls, as the chains that wall/rules.nft includes."""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_network

from notehive.settings import Opening, Settings

# A cloud's name server may be where its secrets are.
NAME_SERVERS = ("ip daddr @resolvers4", "ip6 daddr @resolvers6", "ip daddr @link4")


def chains(settings: Settings) -> str:
    """Give the chains: what is open before anything is closed, who may come in, and the rest."""
    network = settings.network
    leaving = [rule for each in network.openings.items() for rule in _leaving(*each)]
    entering = [rule for each in network.openings.items() for rule in _entering(*each)]
    if network.outgoing == "all":
        leaving += [
            f"{match} meta l4proto {{ tcp, udp }} th dport 53 accept" for match in NAME_SERVERS
        ]
    if settings.storage.kind == "nfs":
        # An NFS server believes whoever asks from a node.
        leaving.append(
            f"meta l4proto {{ tcp, udp }} th dport {settings.storage.nfs.port} jump closed"
        )
    rest = ["accept"] if network.outgoing == "all" else []
    return _chain("allowed", leaving) + _chain("admitted", entering) + _chain("outside", rest)


def _leaving(name: str, opening: Opening) -> Iterator[str]:
    """Rules for what servers send to the addresses of an opening."""
    for match in _matches("daddr", opening.addresses):
        if opening.ports:
            yield f'{match} {_ports("dport", opening.ports)} accept comment "{name}"'
        if opening.back:
            answers = f"{match} {_ports('sport', opening.back)} ct direction reply"
            yield f'{answers} accept comment "{name}"'


def _entering(name: str, opening: Opening) -> Iterator[str]:
    """Rules for what the addresses of an opening send to servers, but for answers."""
    if opening.back:
        for match in _matches("saddr", opening.addresses):
            yield f'{match} {_ports("dport", opening.back)} accept comment "{name}"'


def _matches(end: str, addresses: Sequence[str]) -> Iterator[str]:
    for version, family in ((4, "ip"), (6, "ip6")):
        found = [each for each in addresses if ip_network(each).version == version]
        if found:
            yield f"{family} {end} {{ {', '.join(found)} }}"


def _ports(end: str, ports: Sequence[str]) -> str:
    return f"meta l4proto {{ tcp, udp }} th {end} {{ {', '.join(ports)} }}"


def _chain(name: str, rules: Iterable[str]) -> str:
    return "\n".join([f"chain {name} {{", *(f"  {rule}" for rule in rules), "}", ""])
