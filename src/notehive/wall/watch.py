"""Finds the servers of a node, and gives each its walls before its first program runs.

The kernel tells of new links in the node's namespace, and a new container has some: a fifth of a
second passes from there to its first program. What such news may miss is found by looking.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path

from notehive.wall import MARK, names, netlink, node, rules
from notehive.wall.namespaces import Namespaces
from notehive.wall.rules import Network

ROUND_SECONDS = 1.0  # how often servers are looked at, and where the platform's services are
EVERYWHERE_SECONDS = 5.0  # how often all processes of the node are, and its addresses
YOUNG_SECONDS = 3.0  # how long a container may take from its first process to its mark
COMING_SECONDS = 0.02  # between two looks at one that has its address and no mark yet
# How long a service stays where it was if nobody says where it is: an engine with much to do is
# late, and the Swarm gives an address that is free again to another one only much later.
FORGET_SECONDS = 60.0
NEVER = float("-inf")
SERVICES = ("nginx", "hub", "proxy")  # the platform's, in the network of users
Known = tuple[int, int]  # a namespace's inode, and a process in it
MARKED = Path("/proc/sys", MARK[0].replace(".", "/"))  # of the namespace that one is in


@dataclass
class Watch:
    """The servers of one workbench on this node."""

    stack: str
    users: IPv4Network  # the network that they have their addresses in
    site: tuple[str, int]  # host and port
    nodes: frozenset[Network]  # addresses of all nodes
    namespaces: Namespaces = field(default_factory=Namespaces)
    clock: Callable[[], float] = time.monotonic
    servers: set[Known] = field(default_factory=set)
    _born: dict[Known, float] = field(default_factory=dict)  # when a namespace was first seen
    _services: dict[str, tuple[frozenset[str], float]] = field(default_factory=dict)
    _node: frozenset[Network] = frozenset()
    _asked: float = NEVER
    _rounded: float = NEVER
    _everywhere: float = NEVER
    _script: str = ""
    _sign: str = ""

    def prove(self) -> None:
        """Give walls to a namespace of this process. Raises OSError where that cannot be done."""
        self._node = node.networks()
        self._write()
        with self.namespaces.new():
            self._build()

    def look(self) -> float:
        """Wall in what servers there are; give after how many seconds to look again."""
        now = self.clock()
        everywhere = now - self._everywhere >= EVERYWHERE_SECONDS
        again = everywhere or now - self._rounded >= ROUND_SECONDS
        self.namespaces.look(everywhere=everywhere)
        # What was there before this wall is not on its way.
        born = now if self._born else NEVER
        if everywhere:
            self._everywhere = now
            self._node = node.networks()
            there = self.namespaces.found.items()
            self.servers &= there
            self._born = {key: time for key, time in self._born.items() if key in there}
        if again:
            self._rounded = now
            self._write()
        coming = False
        for known in list(self.namespaces.found.items()):
            young = now - self._born.setdefault(known, born) < YOUNG_SECONDS
            if everywhere or (again if known in self.servers else young):
                coming |= self._visit(known) and young
        return COMING_SECONDS if coming else self._rounded + ROUND_SECONDS - self.clock()

    def _visit(self, known: Known) -> bool:
        """Wall a namespace in if it is a server's; say whether it may become one's."""
        try:
            with self.namespaces.inside(known[0]) as there:
                if not there:
                    self._everywhere = NEVER  # there may be another process in it
                    return False
                if known not in self.servers:
                    if not any(address.ip in self.users for _, address in netlink.addresses()):
                        return False
                    if MARKED.read_text().strip() != MARK[1]:
                        return True
                    self.servers.add(known)
                if self.clock() - self._asked >= ROUND_SECONDS:
                    self._ask()
                    self._write()
                if netlink.alias() != self._sign:
                    self._build()
        except OSError as error:
            print(f"wall: a server was not walled in: {error}", file=sys.stderr, flush=True)
        return False

    def _build(self) -> None:
        rules.apply(self._script)
        netlink.set_alias(self._sign)  # last: it says that the rules stand

    def _ask(self) -> None:
        """Learn where the platform's services are; one that nobody answers for stays for now."""
        now = self._asked = self.clock()
        wanted = {f"tasks.{self.stack}_{name}": name for name in SERVICES}
        for name, found in names.ask(wanted).items():
            self._services[wanted[name]] = frozenset(found), now

    def _write(self) -> None:
        """Write the script of now."""
        now = self.clock()
        self._script = rules.script(
            rules.Surroundings(
                users=self.users,
                nodes=self.nodes | self._node,
                resolvers=node.resolvers(),
                site=self.site,
                services={
                    name: found
                    for name, (found, told) in self._services.items()
                    if now - told < FORGET_SECONDS
                },
            )
        )
        self._sign = rules.sign(self._script)
