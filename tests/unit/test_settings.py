"""settings.yml: what is read from it, and what a person is told about a mistake in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notehive.errors import BadInput
from notehive.hub.config import HubConfig, HubStorage
from notehive.platform import stack
from notehive.settings import Settings, describe, format_memory, load, parse, parse_memory
from tests.generated import settings_reference

ROOT = Path(__file__).resolve().parents[2]
SIZE = "sizes:\n  big:\n    limit: {{cpu: {cpu}, memory: {memory}}}\n"


def complaint(text: str) -> str:
    with pytest.raises(BadInput) as raised:
        parse(text)
    message = str(raised.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    "text", ["", "# nothing but a comment\n", "---\n", "tls: off", "tls: 'off'"]
)
def test_nothing_said_is_the_defaults(text: str) -> None:
    assert parse(text) == Settings()


def test_the_file_in_the_repository_is_the_defaults() -> None:
    assert load(ROOT / "settings.yml") == Settings()


def test_its_examples_are_good() -> None:
    commented = [
        line.removeprefix("# ")
        for line in (ROOT / "settings.yml").read_text().splitlines()
        if line.startswith("# ") and (":" in line.split(" ")[1] or line.startswith("#   "))
    ]
    settings = parse("\n".join(commented))
    assert settings.sizes["large"].reserved.memory == 8 * 1024**3
    assert settings.mirrors.pypi.startswith("https://")
    assert settings.url.startswith("https://")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # Not YAML, or not a mapping
        ("name: a\nurl: [", "2: not YAML: expected the node content, but found '<stream end>'"),
        ("name: a\n\tb: c", "2: not YAML: found character '\\t' that cannot start any token"),
        ("name: a\n---\nname: b", "2: not YAML: but found another document"),
        ("name: a\nurl: \0", "2: not YAML: special characters are not allowed"),
        ("- name", "1: should be keys and values, like `name: notehive`"),
        ("name", "1: should be keys and values, like `name: notehive`"),
        # What the operator's own configuration may give
        (
            "own_config:\n  mounts: [/srv/x, notehive_postgres]",
            "2: own_config.mounts.1: names what is Notehive's own: it begins with notehive_",
        ),
        (
            "own_config: {secrets: ['note*']}",
            "1: own_config.secrets.0: names what is Notehive's own",
        ),
        ("own_config: {networks: [notehive_data]}", "1: own_config.networks.0: names what is"),
        *(
            (
                f"own_config: {{mounts: ['{mount}']}}",
                "1: own_config.mounts.0: write a directory like",
            )
            for mount in (
                "/",
                "/srv/../etc",
                "/srv/./x",
                "/srv/x/",
                "/srv/*/x",
                "/srv/x*",
                "*",
                "a/b",
            )
        ),
        *(
            (
                f"own_config: {{mounts: ['{inner}', '{outer}:rw']}}",
                f"1: own_config.mounts.0: is inside {outer}",
            )
            for inner, outer in (
                ("/x/*", "/x"),
                ("/x/y", "/x"),
                ("/x/y/z", "/x/*"),
                ("/x/y/*", "/x"),
            )
        ),
        ("own_config: {secrets: ['a b']}", "1: own_config.secrets.0: write a name of Docker's"),
        # Keys
        ("\nnmae: x", "2: nmae: unknown key; did you mean name?"),
        (
            "services: {ml: off}",
            "1: services.ml: unknown key; known are airflow, git, jenkins, mlflow, prometheus, "
            "pypi, registry",
        ),
        (
            "auth:\n  lock_out:\n    atempts: 3",
            "3: auth.lock_out.atempts: unknown key; did you mean attempts?",
        ),
        (
            "groups:\n  risk:\n    image: [base]",
            "3: groups.risk.image: unknown key; did you mean images?",
        ),
        (
            SIZE.format(cpu=1, memory="2G") + "    guarantee: {cpus: 1, memory: 1G}",
            "4: sizes.big.guarantee.cpus: unknown key; did you mean cpu?",
        ),
        (
            "sizes: {s: {limit: {cpu: 1, memroy: 2G}}}",
            "1: sizes.s.limit.memroy: unknown key; did you mean memory?",
        ),
        ("sizes: {s: {limits: {}}}", "1: sizes.s.limits: unknown key; did you mean limit?"),
        ("sizes:\n  s: {limit: {cpu: 1}}", "2: sizes.s.limit.memory: is missing; add it"),
        ("name: a\nurl: ''\nname: b", "3: name: written twice; keep one"),
        ("groups:\n  a: {}\n  a: {}", "3: groups.a: written twice; keep one"),
        ("groups:\n  no: {}", "2: groups.no: a key should be text; put it in quotes"),
        ("images:\n  1: {}", "2: images.1: a key should be text; put it in quotes"),
        # The first mistake in the file, not in the order of declaration
        (
            "tls: on\nname: A B",
            '1: tls.kind: should be "off", "files", "acme" or "self-signed", not true',
        ),
        # Types
        ("name: 3", "1: name: should be text in quotes, not 3"),
        ("name: 2026-01-01", "1: name: should be text in quotes, not 2026-01-01"),
        ("admins: ana", '1: admins: should be a list, like [a, b], not "ana"'),
        ("groups: [risk]", "1: groups: should be keys and values, not a list"),
        ("auth: native", '1: auth: should be keys and values, not "native"'),
        ("auth: {kind: ldap}", "1: auth.kind: needs ldap: beside it; docs/login.md has examples"),
        ("auth: {sign_up: maybe}", '1: auth.sign_up: should be true or false, not "maybe"'),
        (
            "auth: {min_password_length: ten}",
            '1: auth.min_password_length: should be a whole number, not "ten"',
        ),
        ("url: {host: x}", "1: url: should be text in quotes, not keys and values"),
        # Nothing where something should be: below a key whose lines were all commented out
        ("groups:\n  risk:\n", "2: groups.risk: is empty; give it a value or remove it"),
        ("sizes:", "1: sizes: is empty; give it a value or remove it"),
        (SIZE.format(cpu=1, memory=""), "3: sizes.big.limit.memory: is empty; give it a value or"),
        (
            "images: {}",
            "1: images: needs at least one entry; add one, or remove the key for the default",
        ),
        ("admins: []", "1: admins: needs at least one entry; add one, or remove the key"),
        # Bounds
        (SIZE.format(cpu=0, memory="2G"), "3: sizes.big.limit.cpu: should be more than 0, not 0"),
        (
            SIZE.format(cpu=".inf", memory="2G"),
            "3: sizes.big.limit.cpu: should be at most 1024, not inf",
        ),
        (
            "auth: {min_password_length: 4}",
            "1: auth.min_password_length: should be at least 8, not 4",
        ),
        (
            SIZE.format(cpu=1, memory="4Q"),
            "3: sizes.big.limit.memory: '4Q' is not an amount of memory; write it like 512M or 4G",
        ),
        (
            SIZE.format(cpu=1, memory="64M"),
            "2: sizes.big: limit.memory is 64M; JupyterLab needs at least 128M",
        ),
        (
            SIZE.format(cpu=1, memory="2G") + "    guarantee: {cpu: 2, memory: 1G}",
            "2: sizes.big: the guarantee is larger than the limit; lower it",
        ),
        (
            SIZE.format(cpu=1, memory="2G") + "    guarantee: {cpu: 1, memory: 2049M}",
            "2: sizes.big: the guarantee is larger than the limit; lower it",
        ),
        # Names
        ("name: Note Hive", "1: name: use 1 to 24 lower-case letters, digits and dashes, a letter"),
        (f"name: {'a' * 25}", "1: name: use 1 to 24 lower-case letters"),
        ("groups: {Risk: {}}", "1: groups.Risk: use 1 to 24 lower-case letters"),
        (
            "admins:\n  - ana\n  - a b",
            "3: admins.1: A user name has letters, digits and . - _ @ + only, not a space.",
        ),
        ("groups: {risk: {members: [a/b]}}", "1: groups.risk.members.0: A user name has letters"),
        (
            "groups:\n  risk:\n    images:\n      - base\n      - spark",
            "5: groups.risk.images.1: 'spark' is not defined in images:; "
            "defined are datascience, base",
        ),
        (
            "groups: {risk: {sizes: [huge]}}",
            "1: groups.risk.sizes.0: 'huge' is not defined in sizes:; defined are small, medium",
        ),
        (
            "groups:\n  everyone:\n    members: [ana]",
            "3: groups.everyone.members: every user is in this group; remove the members",
        ),
        (
            "groups:\n  risk: {}\n  default: {}",
            "3: groups.default: cannot be the name of a workspace",
        ),
        ("groups: {risk-: {}}", "1: groups.risk-: cannot be the name of a workspace of MLflow"),
        ("groups: {r: {}}", "1: groups.r: cannot be the name of a workspace of MLflow"),
        ("groups: {simple: {}}", "1: groups.simple: is an address of the package index"),
        ("groups: {a: {limits: {servers: 0}}}", "1: groups.a.limits.servers: should be at least 1"),
        ("groups: {a: {limits: {servers: 1.5}}}", "1: groups.a.limits.servers: should be a whole"),
        ("groups: {a: {limits: {cpu: -1}}}", "1: groups.a.limits.cpu: should be more than 0, not"),
        (
            "groups: {a: {limits: {gpu: 1}}}",
            "1: groups.a.limits.gpu: unknown key; did you mean cpu",
        ),
        (
            "groups:\n  lab:\n    limits: {memory: 1G}",
            "3: groups.lab.limits: no size of the group is within its limits: small needs 1 CPU "
            "and 2G; raise the limits or name a smaller size",
        ),
        (
            "groups:\n  lab: {sizes: [medium]}\n  everyone: {limits: {cpu: 1}}",
            "2: groups.lab.sizes: no size of the group is within its limits: medium needs 2 CPU",
        ),
        (
            "groups:\n  lab: {sizes: [medium]}\n  risk:\n    limits: {memory: 3G}\n"
            "  everyone: {limits: {cpu: 0.5}}",
            "2: groups.lab.sizes: no size of the group is within its limits",
        ),
        (
            "services:\n  git: off\n  jenkins: on",
            "3: services.jenkins: is on, and releases need git: and registry:, too",
        ),
        (
            "sizes:\n  a:\n    limit: {cpu: 1, memory: 1G}\n    gpu_kind: A100",
            "4: sizes.a.gpu_kind: says nothing without gpu:; add how many",
        ),
        (
            "sizes:\n  a:\n    limit: {cpu: 1, memory: 1G}\n    gpu: 1\n    gpu_kind: A 100",
            '5: sizes.a.gpu_kind: should be letters, digits and . _ -, not "A 100"',
        ),
        (
            "sizes: {a: {limit: {cpu: 1, memory: 1G}, gpu: -1}}",
            "1: sizes.a.gpu: should be at least",
        ),
        # Addresses
        (
            "mirrors:\n  apt: http://me:secret@mirror/debian",
            "2: mirrors.apt: holds a password, which would stay in the images; "
            "use a mirror without one",
        ),
        ("mirrors: {apt_security: 'https://me@mirror'}", "1: mirrors.apt_security: holds a passw"),
        ("mirrors: {pypi: mirror/simple}", "1: mirrors.pypi: write it like https://mirror"),
        ('mirrors: {apt: "http://m\\nX: y"}', "1: mirrors.apt: write it like https://mirror"),
        ("mirrors: {docker: 'https://r'}", "1: mirrors.docker: write it without http://, like"),
        (
            "network: {users: 10.96.0.1/16}",
            "1: network.users: 10.96.0.1/16 has host bits set; write it like 10.96.0.0/16",
        ),
        (
            "network: {users: 10.96.0.0/25}",
            "1: network.users: 10.96.0.0/25 has 128 addresses; use a /24 or larger",
        ),
        ("network: {users: 'fd00::/64'}", "1: network.users: Expected 4 octets"),
        (
            "url: http://x:5001\nnetwork:\n  registry_port: 5000",
            "3: network.registry_port: takes the ports 5000 and 5001, and the site has 5001; "
            "choose another",
        ),
        ("network: {outgoing: some}", '1: network.outgoing: should be "all" or "none", not "some"'),
        (
            "network: {openings: {db: {addresses: [db.example.com], ports: [5432]}}}",
            "1: network.openings.db.addresses.0: db.example.com: is no address; write 10.0.0.7, or "
            "a network like 10.0.0.0/24; no name, for what it means may change",
        ),
        (
            "network: {openings: {db: {addresses: [10.0.0.7/24], ports: [5432]}}}",
            "1: network.openings.db.addresses.0: 10.0.0.7/24: 10.0.0.7/24 has host bits set; write",
        ),
        (
            "network: {openings: {db: {addresses: [0.0.0.0/0], ports: [5432]}}}",
            "1: network.openings.db.addresses.0: 0.0.0.0/0: is everything; use network.outgoing",
        ),
        (
            "network:\n  openings:\n    a: {addresses: [10.96.1.0/24], ports: [1]}",
            "3: network.openings.a.addresses.0: 10.96.1.0/24 is in network.users, where servers "
            "never reach each other; name an address outside",
        ),
        (
            "network: {openings: {db: {addresses: [10.0.0.7]}}}",
            "1: network.openings.db: opens nothing; name ports: or back:",
        ),
        (
            "network: {openings: {db: {addresses: [10.0.0.7], ports: [2-1]}}}",
            "1: network.openings.db.ports.0: '2-1': is no port; write 5432, or a range like",
        ),
        ("network: {openings: {db: {ports: [1]}}}", "1: network.openings.db.addresses: is missing"),
        # Storage
        ("storage: {kind: disk}", '1: storage.kind: should be "local" or "nfs", not "disk"'),
        ("storage: {path: mnt}", "1: storage.path: write it like /mnt/cluster/notehive, without"),
        ("storage: {path: /mnt/../etc}", "1: storage.path: write it like /mnt/cluster/notehive"),
        ("storage: {path: /}", "1: storage.path: write it like /mnt/cluster/notehive"),
        ("storage: {quota: lots}", "1: storage.quota: 'lots' is not an amount"),
        ("storage: {quota: -1}", "1: storage.quota: should be at least 0, not -1"),
        ("storage: {nfs: {port: 2050}}", "1: storage.nfs: is for kind: nfs; set that, or remove"),
        (
            "storage:\n  kind: nfs\n  path: /mnt/x",
            "3: storage.path: is for kind: local; the path of your own NFS server is nfs.path",
        ),
        (
            "storage: {kind: nfs, nfs: {server: nas}}",
            "1: storage.nfs.path: name the directory that nas exports, like /export/notehive",
        ),
        (
            "storage: {kind: nfs, nfs: {path: /export}}",
            "1: storage.nfs.path: is for a server of your own; name it with server:, or remove",
        ),
        (
            "storage: {kind: nfs, nfs: {options: 'hard,addr=10.0.0.1'}}",
            "1: storage.nfs.options: names the address or port; use server: and port:",
        ),
        (
            "url: http://x:2049\nstorage: {kind: nfs}",
            "2: storage.nfs.port: is the site's or the registry's; choose another",
        ),
        (
            "{notify: {webhook: 'http://x'}, services: {prometheus: off}}",
            "1: notify: needs services.prometheus, which is off; switch that on, or remove this",
        ),
        (
            "notify: {email: {to: [a@x], sender: b@x, server: x, user: c}}",
            "1: notify.email.user: and password_file belong together; set both or none",
        ),
        (
            "groups: {risk: {quota: 5G}}",
            "1: groups.risk.quota: is more than storage.quota, which is not set; set that too",
        ),
        (
            "groups: {risk: {shared: all}}",
            '1: groups.risk.shared: should be "none", "members" or "everyone", not "all"',
        ),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    assert complaint(text).startswith(f"settings.yml:{message}")


def test_a_password_is_not_repeated_on_the_terminal() -> None:
    assert "hunter2" not in complaint("mirrors: {apt: 'http://me:hunter2@mirror/debian'}")


def test_an_alias_that_holds_itself() -> None:
    assert complaint("images: &a\n  b: *a") == (
        "settings.yml: nested too deeply, or an alias (*) that holds itself"
    )


def test_anchors_and_merges() -> None:
    settings = parse(
        "sizes:\n  a: &a {title: A, limit: {cpu: 1, memory: 1G}}\n  b: {<<: *a, title: B}\n"
    )
    assert settings.sizes["b"].limit == settings.sizes["a"].limit
    assert settings.sizes["b"].title == "B"


def test_the_registry_port_may_be_the_urls_when_the_registry_is_off() -> None:
    assert parse("url: http://x:5000\nservices: {registry: off}").url == "http://x:5000"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file; restore it with `git checkout settings.yml` or name another with"),
        (b"name: \xff\xfe", "is not UTF-8 text; save it as UTF-8"),
        ("directory", "cannot be read: Is a directory"),
    ],
)
def test_files(content: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "some.yml"
    if content == "directory":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput) as raised:
        load(path)
    assert str(raised.value).startswith(f"{path}: {message}")


def test_a_mistake_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "some.yml"
    path.write_text("\ufeffname: a\nurll: x", encoding="utf-8")
    with pytest.raises(BadInput) as raised:
        load(path)
    assert str(raised.value) == f"{path}:2: urll: unknown key; did you mean url?"


@pytest.mark.parametrize(
    ("url", "becomes"),
    [
        ("http://workbench.example.com", None),
        ("http://10.0.0.5:8080", None),
        ("http://notehive.localhost", None),
        ("http://my_host", None),
        ("http://[fd00::5]:8080", None),
        # As a browser's Host header says it, for the two are compared
        ("http://Workbench.Example.com/", "http://workbench.example.com"),
        ("http://x:80", "http://x"),
        ("http://x:8080/", "http://x:8080"),
        ("https://x:443", "https://x"),
        ("https://x:80", None),
        ("http://x:443", None),
    ],
)
def test_good_urls(url: str, becomes: str | None) -> None:
    assert parse(json.dumps({"url": url})).url == (becomes or url)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "x",
            "x:8080",
            "http://",
            "http:///x",
            "http://x/path",
            "http://x?a",
            "ftp://x",
        ),
        *(
            "http://x#a",
            "http://me:pw@x",
            "http://x:0",
            "http://x:65536",
            "http://x:",
            "http://a b",
        ),
        *("http://x\n", " http://x", "http://[fd00", "http://$HOST", "http://x//"),
    ],
)
def test_bad_urls(url: str) -> None:
    assert complaint(json.dumps({"url": url})) == (
        "settings.yml:1: url: write it like https://workbench.example.com or http://10.0.0.5:8080"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tls: none", '1: tls.kind: should be "off", "files", "acme" or "self-signed", not "none"'),
        ("tls: [files]", "1: tls: should be keys and values, not a list"),
        ("tls: {kind: files}", "1: tls.certificate: is missing; kind: files needs certificate:"),
        ("tls: {kind: files, certificate: /a}", "1: tls.key: is missing; kind: files needs"),
        ("tls: {kind: files, certificate: a.pem}", "1: tls.certificate: write the whole path"),
        ("subdomains: on", "1: subdomains: needs a name; set url: to one whose subdomains lead"),
        (
            "{url: 'https://10.0.0.7', tls: self-signed, subdomains: on}",
            "1: subdomains: needs a name",
        ),
        (
            "{url: 'https://a.b', tls: acme, subdomains: on}",
            "1: subdomains: needs a certificate for *.NAME, which kind: acme cannot get",
        ),
        ("tls: {kind: acme, key: /a}", "1: tls.key: is for kind: files; set that, or remove this"),
        ("tls: {email: a@b}", "1: tls.email: is for kind: acme; set that, or remove this"),
        ("tls: {kind: files, server: 'https://a/'}", "1: tls.certificate: is missing"),
        ("tls: {kind: self-signed, server: 'https://a/'}", "1: tls.server: is for kind: acme"),
        ("tls: {kind: self-signed, authority: /a}", "1: tls.authority: is made by `up` with"),
        ("tls: acme", "1: tls.kind: acme needs a name that others know; set url: https://NAME"),
        ("{url: 'https://10.0.0.5', tls: acme}", "1: tls.kind: acme needs a name that others"),
        ("{url: 'https://intranet', tls: acme}", "1: tls.kind: acme needs a name that others"),
        ("url: http://x\ntls: self-signed", "1: url: says http, and tls: is self-signed; write"),
        (
            "{url: 'https://a.b', tls: {kind: acme, http_port: 0}}",
            "1: tls.http_port: is 0, and ACME's server asks there; give a port, like 80",
        ),
        (
            "{url: 'https://x', tls: {http_port: 0}}",
            "1: tls.http_port: is 0, and your proxy asks there; give a port, like 80",
        ),
        (
            "{url: 'https://x:80', tls: self-signed}",
            "1: tls.http_port: is 80, the port of url:; choose another, or 0",
        ),
        (
            "{tls: {kind: self-signed, http_port: 5001}}",
            "1: network.registry_port: takes the ports 5000 and 5001, and the site has 5001;",
        ),
        (
            "{tls: {kind: self-signed, http_port: 2049}, storage: {kind: nfs}}",
            "1: storage.nfs.port: is the site's or the registry's; choose another",
        ),
    ],
)
def test_tls_that_cannot_be(text: str, said: str) -> None:
    assert complaint(text).startswith(f"settings.yml:{said}")


@pytest.mark.parametrize(
    ("text", "scheme", "port", "redirect_port", "proxied"),
    [
        ("", "http", 80, 0, False),
        ("url: http://x:8080", "http", 8080, 0, False),
        ("tls: self-signed", "https", 443, 80, False),
        (
            "{url: 'https://x:8443', tls: {kind: self-signed, http_port: 0}}",
            "https",
            8443,
            0,
            False,
        ),
        ("{url: 'https://a.b', tls: {kind: acme, http_port: 8080}}", "https", 443, 8080, False),
        # A TLS proxy of the operator's in front
        ("url: https://x", "https", 80, 0, True),
        ("{url: 'https://x:8443', tls: {http_port: 8080}}", "https", 8080, 0, True),
    ],
)
def test_ports_of_the_site(
    text: str, scheme: str, port: int, redirect_port: int, proxied: bool
) -> None:
    settings = parse(text)
    assert (settings.scheme, settings.port, settings.redirect_port, settings.is_proxied) == (
        *(scheme, port, redirect_port, proxied),
    )


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.1.2.3:80", "[::1]", "0.0.0.0"]
)
def test_loopback_urls(host: str) -> None:
    assert "use http://notehive.localhost" in complaint(f"url: 'http://{host}'")


@pytest.mark.parametrize(
    ("text", "size"),
    [("512M", 512 * 1024**2), ("1.5G", 1536 * 1024**2), ("2T", 2 * 1024**4), ("7", 7), (7, 7)],
)
def test_memory(text: object, size: int) -> None:
    assert parse_memory(text) == size


@pytest.mark.parametrize(
    "text", ["", "G", "-1G", "1 G", "1GB", "1g", "1e9", True, None, "∞", "1,5G"]
)
def test_not_memory(text: object) -> None:
    with pytest.raises(ValueError, match="is not an amount of memory; write it like 512M or 4G"):
        parse_memory(text)


@given(st.integers(0, 1000 * 1024**4))
def test_shown_memory_is_about_right_and_can_be_typed_in(size: int) -> None:
    shown = format_memory(size)
    assert len(shown) <= 6
    assert abs(parse_memory(shown) - size) <= size / 1000


def test_the_hub_is_told_the_exact_sizes() -> None:
    size = "{limit: {cpu: 0.7, memory: 1500M}, guarantee: {cpu: 0.1, memory: 1234567890}}"
    settings = parse(f"sizes: {{odd: {size}}}\nimages: {{base: {{}}}}\nurl: http://x")
    location = HubStorage(root="/srv", nfs="", quota=0)
    told = stack.hub_config(settings, {"notebooks-base": "b:1"}, location).model_dump_json()
    assert HubConfig.model_validate_json(told).sizes == settings.sizes


def test_a_size_reserves_a_part_of_its_limit_by_default() -> None:
    reserved = parse(SIZE.format(cpu=2, memory="3G")).sizes["big"].reserved
    assert (reserved.cpu, reserved.memory) == (0.2, 3 * 1024**3 // 2)


@pytest.mark.parametrize(
    ("groups", "fits"),
    [
        ("lab: {limits: {cpu: 1}}", True),
        ("lab: {limits: {cpu: 1}, sizes: [medium]}", False),
        ("lab: {limits: {cpu: 2}, sizes: [medium]}, everyone: {limits: {memory: 4G}}", True),
        ("lab: {sizes: [small, medium]}, everyone: {limits: {cpu: 1}}", True),
        ("lab: {sizes: [small]}, everyone: {limits: {cpu: 1}}", False),  # only medium is open
        ("lab: {sizes: [small]}, everyone: {limits: {cpu: 1}, sizes: [small]}", True),
        ("lab: {}, everyone: {limits: {servers: 1}}", True),
    ],
)
def test_a_group_can_start_what_it_is_for(groups: str, fits: bool) -> None:
    text = f"groups: {{{groups}}}"
    if fits:
        assert parse(text)
    else:
        assert "no size of the group is within its limits" in complaint(text)


def test_gpus_are_generic_resources_of_the_swarm() -> None:
    size = parse("sizes: {a: {limit: {cpu: 1, memory: 1G}, gpu: 2, gpu_kind: NVIDIA-GPU}}").sizes
    assert size["a"].generic_resources == {"NVIDIA-GPU": 2}
    assert parse(SIZE.format(cpu=1, memory="1G")).sizes["big"].generic_resources == {}


@pytest.mark.parametrize(
    ("memory", "pids"),
    [("128M", 1024), ("2G", 1024), ("2.5G", 1280), ("32G", 16384), ("1T", 16384)],
)
def test_processes_in_proportion_to_memory(memory: str, pids: int) -> None:
    assert parse(SIZE.format(cpu=1, memory=memory)).sizes["big"].pids == pids


def test_every_setting_is_described() -> None:
    rows = list(describe())
    keys = [key for key, _, _ in rows]
    assert len(keys) == len(set(keys))
    assert {"url", "auth.lock_out.minutes", "sizes.NAME.limit.memory"} <= set(keys)
    for key, _, text in rows:
        assert text.endswith("."), f"{key} is not described"


def test_the_shown_defaults_are_the_defaults() -> None:
    """What docs/settings.md says, put into a file, changes nothing."""
    shown = {
        key: default
        for key, default, _ in describe()
        if "." not in key and default and key not in ("images", "sizes")
    }
    assert parse("\n".join(f"{key}: {default}" for key, default in shown.items())) == Settings()
    assert shown["admins"] == "[admin]"


def test_the_reference_is_up_to_date() -> None:
    assert (ROOT / "docs/settings.md").read_text() == settings_reference(), "run `make docs`"
