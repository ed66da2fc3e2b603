"""Why the Swarm has no place for a server: in words, and whether waiting can help."""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from notehive.hub.amounts import cpus, memory

CONSTRAINT = re.compile(r"\s*([a-z.]+?)(?:labels\.([^=!\s]+))?\s*(==|!=)\s*(.*?)\s*")


@dataclass(frozen=True)
class Need:
    """What a server has to be given, and where."""

    cpu: float  # cores
    memory: int  # bytes
    generic: Mapping[str, int]  # amounts of the generic resources that nodes advertise, by kind
    constraints: Sequence[str]  # as Swarm writes them: ``node.labels.disk == ssd``

    @classmethod
    def of(cls, task: Mapping[str, Any]) -> "Need":
        """Read it off the template of a server's task, as the engine is given it."""
        amounts = amounts_of(task["Resources"].get("Reservations") or {})
        constraints = task["Placement"].get("Constraints") or ()
        return cls(amounts.pop("cpu") / 1e9, amounts.pop("memory"), amounts, constraints)

    def amounts(self) -> Counter[str]:
        """Give what is needed in the units of the API, by name of resource."""
        return Counter({"cpu": round(self.cpu * 1e9), "memory": self.memory, **self.generic})


class Verdict(NamedTuple):
    """Why there is no place."""

    hopeless: bool  # nothing that other users do can change it
    words: str


def judge(
    need: Need, nodes: Iterable[Mapping[str, Any]], tasks: Iterable[Mapping[str, Any]]
) -> Verdict:
    """Say why no node takes a server, from the nodes and tasks as the engine describes them."""
    fitting = [node for node in nodes if all(_satisfies(node, c) for c in need.constraints)]
    if not fitting:
        return Verdict(True, f"no node of the Swarm satisfies {' and '.join(need.constraints)}")
    usable = [node for node in fitting if not trouble(node)]
    if not usable:
        why = ", ".join(f"{hostname(node)} is {trouble(node)}" for node in fitting)
        return Verdict(True, f"no node that may run it is there: {why}")
    wanted = need.amounts()
    reserved = reserved_by_node(tasks)
    capacity = {node["ID"]: amounts_of(node["Description"]["Resources"]) for node in usable}
    for resource, amount in wanted.items():
        most = max(has[resource] for has in capacity.values())
        if most < amount:
            return Verdict(
                True,
                f"no node is large enough: {_show(resource, amount)} must be free for this size, "
                f"and the largest node has {_show(resource, most) if most else 'none'}",
            )
    if not any(all(has[r] >= n for r, n in wanted.items()) for has in capacity.values()):
        return Verdict(True, f"no node is large enough: none has {_list(wanted)} together")
    checked = f"{len(usable)} node{'s' if len(usable) > 1 else ''} checked"
    free = {node: {r: has[r] - reserved[node][r] for r in wanted} for node, has in capacity.items()}
    short = {r: n for r, n in wanted.items() if all(has[r] < n for has in free.values())}
    return Verdict(False, f"no node has {_list(short or wanted)} free; {checked}")


def addresses_left(
    network: Mapping[str, Any], tasks: Iterable[Mapping[str, Any]], nodes: int
) -> tuple[int, int]:
    """Give how many addresses a network has left for tasks, about, and how many it has at all.

    It keeps three (the network's own, the gateway, the broadcast) and one for each node.
    """
    total = sum(
        ipaddress.ip_network(config["Subnet"]).num_addresses
        for config in network["IPAM"]["Config"] or ()
    )
    taken = sum(
        attachment["Network"]["ID"] == network["Id"] and bool(attachment.get("Addresses"))
        for task in tasks
        for attachment in task.get("NetworksAttachments") or ()
    )
    return max(0, total - 3 - nodes - taken), total


def hostname(node: Mapping[str, Any]) -> str:
    """Name of a node."""
    return str(node["Description"]["Hostname"])


def trouble(node: Mapping[str, Any]) -> str:
    """Give why a node takes no new tasks, or nothing."""
    if node["Status"]["State"] != "ready":
        return str(node["Status"]["State"])
    return {"drain": "drained", "pause": "paused"}.get(node["Spec"]["Availability"], "")


def _satisfies(node: Mapping[str, Any], constraint: str) -> bool:
    match = CONSTRAINT.fullmatch(constraint)
    if not match:
        return True  # one that we cannot read is Swarm's to judge
    key, label, operator, value = match.groups()
    description, spec = node["Description"], node["Spec"]
    platform = description.get("Platform", {})
    values: dict[str, Any] = {
        "node.id": node["ID"],
        "node.hostname": description["Hostname"],
        "node.role": spec["Role"],
        "node.platform.os": platform.get("OS"),
        "node.platform.arch": platform.get("Architecture"),
        "node.": (spec.get("Labels") or {}).get(label, ""),
        "engine.": (description.get("Engine", {}).get("Labels") or {}).get(label, ""),
    }
    if key not in values:
        return True
    return (str(values[key]).lower() == value.lower()) == (operator == "==")


def amounts_of(resources: Mapping[str, Any]) -> Counter[str]:
    """Give amounts in the units of the API (``cpu``, ``memory``, generic ones by their kind)."""
    found = Counter(cpu=resources.get("NanoCPUs", 0), memory=resources.get("MemoryBytes", 0))
    for each in resources.get("GenericResources") or ():
        if number := each.get("DiscreteResourceSpec"):
            found[number["Kind"]] += number["Value"]
        elif name := each.get("NamedResourceSpec"):
            found[name["Kind"]] += 1
    return found


def reserved_by_node(tasks: Iterable[Mapping[str, Any]]) -> Mapping[str, Counter[str]]:
    """Give what tasks have reserved on each node, by its id; nothing on any other."""
    found: dict[str, Counter[str]] = {}
    for task in tasks:
        resources = task["Spec"].get("Resources") or {}
        amounts = amounts_of(resources.get("Reservations") or {})
        found.setdefault(task.get("NodeID", ""), Counter()).update(amounts)
    return _Default(found)


class _Default(dict[str, Counter[str]]):
    def __missing__(self, key: str) -> Counter[str]:
        return Counter()


def _show(resource: str, amount: int) -> str:
    if resource == "cpu":
        return cpus(amount / 1e9)
    if resource == "memory":
        return f"{memory(amount)} of memory"
    return f"{amount} {resource}"


def _list(amounts: Mapping[str, int]) -> str:
    return " and ".join(_show(resource, amount) for resource, amount in amounts.items())
