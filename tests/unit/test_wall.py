"""What a wall finds on its node, and the rules that it gives to servers."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network, ip_interface, ip_network
from pathlib import Path
from typing import Any

import pytest

from notehive.platform import walls
from notehive.platform.place import ROOT
from notehive.settings import parse
from notehive.wall import MARK, PORT, SIGN, names, netlink, node, rules, watch
from notehive.wall.namespaces import Namespaces
from notehive.wall.rules import Surroundings
from notehive.wall.watch import Watch

AROUND = Surroundings(
    users=IPv4Network("10.96.0.0/16"),
    nodes=frozenset(map(ip_network, ("10.0.0.7", "172.18.0.0/16", "fd00::7"))),
    resolvers=frozenset({"10.0.0.2", "fd00::2"}),
    site=("workbench.example.com", 8080),
    services={
        "nginx": frozenset({"10.96.0.4"}),
        "hub": frozenset({"10.96.0.2"}),
        "proxy": frozenset({"10.96.0.3"}),
    },
)


# Rules


def test_the_script_replaces_what_there_was() -> None:
    assert rules.script(AROUND).splitlines() == [
        "add table inet notehive",
        "delete table inet notehive",
        'include "/opt/notehive/wall/rules.nft"',
        "add element inet notehive platform { 10.96.0.4 . 8080, 10.96.0.2 . 8081 }",
        "add element inet notehive callers { 10.96.0.2, 10.96.0.3 }",
        "add element inet notehive users { 10.96.0.0/16 }",
        "add element inet notehive nodes4 { 10.0.0.7/32, 172.18.0.0/16 }",
        "add element inet notehive nodes6 { fd00::7/128 }",
        "add element inet notehive resolvers4 { 10.0.0.2 }",
        "add element inet notehive resolvers6 { fd00::2 }",
    ]


def test_nobody_is_there_yet() -> None:
    """The platform's services may be on their way; then servers have walls without a door."""
    alone = Surroundings(AROUND.users, frozenset(), frozenset(), AROUND.site, {})
    assert "platform" not in rules.script(alone)
    assert rules.elements(alone)["callers"] == []


def test_a_site_without_a_name_is_reached_at_its_address() -> None:
    here = Surroundings(AROUND.users, frozenset(), frozenset(), ("10.0.0.7", 80), {})
    assert rules.elements(here)["platform"] == ["10.0.0.7 . 80"]


def test_every_set_is_declared() -> None:
    text = (ROOT / "wall/rules.nft").read_text()
    for name in rules.elements(AROUND):
        assert f"  set {name} {{" in text


def test_rules_and_package_agree() -> None:
    text = (ROOT / "wall/rules.nft").read_text()
    assert f"table {rules.TABLE} {{" in text
    assert f"dport {PORT} accept" in text
    assert f'include "{rules.CHOSEN}"' in text
    assert MARK[1] == str(PORT)
    waits = (ROOT / "notebooks-images/base/walled").read_text()
    assert f'[ "$sign" = {SIGN} ]' in waits


def test_the_sign_changes_with_all_that_rules_are_made_of(tmp_path: Path) -> None:
    file = tmp_path / "rules.nft"
    file.write_text("a")
    first = rules.sign("x", [file])
    assert first.split()[0] == SIGN
    assert first == rules.sign("x", [file]) != rules.sign("y", [file])
    file.write_text("b")
    assert rules.sign("x", [file]) != first


# What the settings say

DNS = "meta l4proto { tcp, udp } th dport 53 accept"


@pytest.mark.parametrize(
    ("settings", "chains"),
    [
        (
            "{}",
            [
                "chain allowed {",
                f"  ip daddr @resolvers4 {DNS}",
                f"  ip6 daddr @resolvers6 {DNS}",
                f"  ip daddr @link4 {DNS}",
                "}",
                "chain admitted {",
                "}",
                "chain outside {",
                "  accept",
                "}",
            ],
        ),
        (
            "network:\n"
            "  outgoing: none\n"
            "  openings:\n"
            "    warehouse: {addresses: [10.0.0.7, 'fd00::7'], ports: [5432, 6000-6010]}\n"
            "    spark: {addresses: [10.3.0.0/24], back: [40000-40100]}\n",
            [
                "chain allowed {",
                "  ip daddr { 10.0.0.7 } meta l4proto { tcp, udp } th dport { 5432, 6000-6010 } "
                'accept comment "warehouse"',
                "  ip6 daddr { fd00::7 } meta l4proto { tcp, udp } th dport { 5432, 6000-6010 } "
                'accept comment "warehouse"',
                "  ip daddr { 10.3.0.0/24 } meta l4proto { tcp, udp } th sport { 40000-40100 } "
                'ct direction reply accept comment "spark"',
                "}",
                "chain admitted {",
                "  ip saddr { 10.3.0.0/24 } meta l4proto { tcp, udp } th dport { 40000-40100 } "
                'accept comment "spark"',
                "}",
                "chain outside {",
                "}",
            ],
        ),
    ],
)
def test_chains(settings: str, chains: list[str]) -> None:
    assert walls.chains(parse(settings)).splitlines() == chains


def test_no_server_speaks_to_an_nfs_server() -> None:
    chosen = "storage: {kind: nfs, nfs: {server: nas.example.com, path: /homes, port: 2050}}"
    allowed = walls.chains(parse(chosen)).partition("chain admitted")[0]
    assert "th dport 2050 jump closed" in allowed


# The node


def test_addresses_and_alias_of_this_namespace() -> None:
    assert (netlink.LOOPBACK, ip_interface("127.0.0.1/8")) in netlink.addresses()
    assert SIGN not in netlink.alias()


def test_a_request_that_the_kernel_refuses() -> None:
    """An attribute without its end."""
    with pytest.raises(OSError, match="netlink"):
        list(netlink._ask(netlink.SET_LINK, netlink.ACKNOWLEDGE, b"\0" * 8))


def test_networks_of_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [
        (1, "127.0.0.1/8"),
        (2, "10.0.0.7/24"),
        (2, "fd00::7/64"),
        (2, "fe80::1/64"),
        (5, "172.18.0.1/16"),
    ]
    found = [(index, ip_interface(address)) for index, address in there]
    monkeypatch.setattr(socket, "if_nameindex", lambda: [(2, "eth0"), (5, node.BRIDGE)])
    monkeypatch.setattr(netlink, "addresses", lambda: found)
    assert node.networks() == AROUND.nodes


def test_resolvers(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(
        "# nameserver 10.0.0.1\nsearch x\nnameserver 10.0.0.2\nnameserver 127.0.0.53\n"
        "nameserver\nnameserver fd00::2%eth0\n"
    )
    assert node.resolvers(file) == AROUND.resolvers


# Names


def test_names() -> None:
    asked = names.question(7, "tasks.nh_hub")
    assert asked[names.HEADER.size :] == b"\5tasks\6nh_hub\0\0\1\0\1"
    head = names.HEADER.pack(7, 0x8180, 1, 3, 0, 0)
    record = names.RECORD
    answer = (
        head
        + asked[names.HEADER.size :]
        + b"\xc0\x0c" + record.pack(1, 1, 600, 4) + bytes([10, 96, 0, 2])
        + b"\xc0\x0c" + record.pack(28, 1, 600, 16) + bytes(16)
        + b"\3hub\0" + record.pack(1, 1, 600, 4) + bytes([10, 96, 0, 9])
    )  # fmt: skip
    assert names.answer(answer) == (7, {"10.96.0.2", "10.96.0.9"})


# Namespaces


class Processes:
    """A directory like /proc: which process is in which namespace."""

    def __init__(self, directory: Path) -> None:
        self.proc, self.spaces = directory / "proc", directory / "spaces"
        self.proc.mkdir()
        self.spaces.mkdir()
        (self.proc / "meminfo").touch()

    def put(self, process: int, space: str) -> int:
        """Put a process into a namespace; give the inode of that."""
        file = self.spaces / space
        file.touch()
        link = self.proc / str(process) / "ns/net"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(file)
        return file.stat().st_ino

    def end(self, process: int) -> None:
        """End a process."""
        (self.proc / str(process)).rename(self.spaces / f"ended-{process}")


def test_namespaces_are_found_by_their_processes(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    first = processes.put(40, "a")
    processes.put(7, "a")
    spaces = Namespaces(processes.proc)
    spaces.look(everywhere=True)
    assert spaces.found == {first: 7}, "the lowest number: mostly the container's own"

    second = processes.put(50, "b")
    processes.put(51, "a")
    spaces.look(everywhere=False)
    assert spaces.found == {first: 7, second: 50}

    processes.end(7)
    processes.end(50)
    spaces.look(everywhere=True)
    assert spaces.found == {first: 40}


def test_the_inode_of_one_that_is_gone_is_the_next_ones(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    inode = processes.put(40, "a")
    spaces = Namespaces(processes.proc)
    spaces.look(everywhere=True)
    processes.end(40)
    assert processes.put(60, "a") == inode
    spaces.look(everywhere=False)
    assert spaces.found == {inode: 60}


def test_a_process_may_get_its_namespace_late(tmp_path: Path) -> None:
    """A container's first process begins in the node's own."""
    processes = Processes(tmp_path)
    own = Path("/proc/self/ns/net").stat().st_ino
    link = processes.proc / "60/ns/net"
    link.parent.mkdir(parents=True)
    link.symlink_to("/proc/self/ns/net")
    spaces = Namespaces(processes.proc)
    spaces.look(everywhere=True)
    assert own not in spaces.found
    late = processes.put(60, "c")
    spaces.look(everywhere=False)
    assert spaces.found == {late: 60}


# The watch, with stand-ins for what needs root: entering a namespace, and setting rules in it


class StandInNamespaces(Namespaces):
    """Namespaces as a test sets them; inside of one, netlink tells what the test says."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(tmp_path)
        self.spaces: dict[int, dict[str, Any]] = {}
        self.process = 1  # that is in each of them
        self.now: dict[str, Any] = self.put(0)
        self.addresses = ["10.96.0.2", "10.96.0.3", "10.96.0.4"]
        self.time = 100.0
        self.asked = 0
        marked = tmp_path / "marked"
        monkeypatch.setattr(watch, "MARKED", marked)
        self.marked = marked
        monkeypatch.setattr(netlink, "addresses", lambda: self.now["addresses"])
        monkeypatch.setattr(netlink, "alias", lambda: self.now["alias"])
        monkeypatch.setattr(netlink, "set_alias", lambda text: self.now.update(alias=text))
        monkeypatch.setattr(node, "networks", lambda: AROUND.nodes)
        monkeypatch.setattr(node, "resolvers", lambda: AROUND.resolvers)
        monkeypatch.setattr(rules, "sign", lambda text: f"{SIGN} {hash(text)}")
        monkeypatch.setattr(rules, "apply", self.apply)
        monkeypatch.setattr(names, "ask", self.ask)

    def put(self, inode: int, address: str = "", mark: str = "") -> dict[str, Any]:
        """Make a namespace; what is in it."""
        addresses = [(2, ip_interface(f"{address}/16"))] if address else []
        self.spaces[inode] = {"addresses": addresses, "mark": mark, "alias": "", "rules": []}
        return self.spaces[inode]

    def apply(self, text: str) -> None:
        if self.now.get("fails"):
            raise OSError("nft: no")
        self.now["rules"].append(text)

    def ask(self, wanted: dict[str, str]) -> dict[str, set[str]]:
        self.asked += 1
        found = zip(sorted(wanted), self.addresses, strict=False)
        return {name: {address} if address else set() for name, address in found}

    def look(self, *, everywhere: bool) -> None:
        self.found = {inode: self.process for inode in self.spaces if inode}

    @contextmanager
    def inside(self, inode: int) -> Iterator[bool]:
        self.now = self.spaces.get(inode, self.spaces[0])
        self.marked.write_text(f"{self.now['mark']}\n")
        yield True
        self.now = self.spaces[0]


@pytest.fixture
def spaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInNamespaces:
    return StandInNamespaces(tmp_path, monkeypatch)


@pytest.fixture
def watching(spaces: StandInNamespaces) -> Watch:
    return Watch(
        stack="nh",
        users=AROUND.users,
        site=AROUND.site,
        nodes=frozenset(),
        namespaces=spaces,
        clock=lambda: spaces.time,
    )


def test_a_server_is_walled_in_once(spaces: StandInNamespaces, watching: Watch) -> None:
    server = spaces.put(1, "10.96.0.9", MARK[1])
    other = spaces.put(2, "172.17.0.2", MARK[1])
    service = spaces.put(3, "10.96.0.2")
    for _ in range(3):
        watching.look()
        spaces.time += 1
    assert len(server["rules"]) == 1
    assert "10.96.0.2 . 8081" in server["rules"][0]
    assert server["alias"].startswith(SIGN)
    assert (other["rules"], service["rules"]) == ([], []), "no server of this workbench"


def test_one_that_is_coming_is_looked_at_often(spaces: StandInNamespaces, watching: Watch) -> None:
    spaces.put(1, "10.96.0.2")  # was there before: the hub, which will never have a mark
    assert watching.look() == watch.ROUND_SECONDS
    server = spaces.put(2)
    server["addresses"] = [(2, ip_interface("10.96.0.9/16"))]
    spaces.time += 0.1
    assert watching.look() == watch.COMING_SECONDS
    server["mark"] = MARK[1]
    spaces.time += watch.COMING_SECONDS
    assert watching.look() > watch.COMING_SECONDS
    assert server["alias"].startswith(SIGN)


@pytest.mark.parametrize("before", ["a server", "something else"])
def test_one_with_the_inode_of_one_before_is_on_its_way_too(
    spaces: StandInNamespaces, watching: Watch, before: str
) -> None:
    spaces.put(1, "10.96.0.9", MARK[1] if before == "a server" else "")
    watching.look()
    spaces.time += watch.EVERYWHERE_SECONDS - 0.1
    spaces.process += 1
    server = spaces.put(1, "10.96.0.10")
    assert watching.look() == watch.COMING_SECONDS
    assert server["rules"] == [], "not before it says that it is a server"
    server["mark"] = MARK[1]
    watching.look()
    assert server["alias"].startswith(SIGN)


def test_walls_follow_the_platform_and_are_mended(
    spaces: StandInNamespaces, watching: Watch
) -> None:
    server = spaces.put(1, "10.96.0.9", MARK[1])
    watching.look()
    spaces.addresses[0] = "10.96.0.77"  # the hub's
    spaces.time += 1
    watching.look()
    assert "10.96.0.77 . 8081" in server["rules"][-1]
    assert "10.96.0.2" not in server["rules"][-1]
    server["alias"] = "notehive-wall of another"
    spaces.time += 1
    watching.look()
    assert len(server["rules"]) == 3


def test_a_service_that_nobody_knows_is_forgotten(
    spaces: StandInNamespaces, watching: Watch
) -> None:
    server = spaces.put(1, "10.96.0.9", MARK[1])
    watching.look()
    spaces.addresses = []  # no answer
    spaces.time += 1
    watching.look()
    assert "8081" in server["rules"][-1], "it may just be late"
    spaces.time += watch.FORGET_SECONDS
    watching.look()
    assert "8081" not in server["rules"][-1]


def test_without_rules_there_is_no_sign(
    spaces: StandInNamespaces, watching: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = spaces.put(1, "10.96.0.9", MARK[1])
    server["fails"] = True
    watching.look()
    assert server["alias"] == ""
    assert capsys.readouterr().err == "wall: a server was not walled in: nft: no\n"
    server["fails"] = False
    spaces.time += 1
    watching.look()
    assert server["alias"].startswith(SIGN)
