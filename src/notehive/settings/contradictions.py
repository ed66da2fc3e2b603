"""What is wrong between settings, each of which could be right."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from notehive.settings.login import Ldap, OAuth
from notehive.settings.model import Group, Limits, Network, Nfs, OwnConfig, Settings, Storage
from notehive.settings.outside import External
from notehive.settings.values import EVERYONE, RESERVED_BY_MLFLOW, WRITABLE, format_memory
from notehive.typed_yaml.document import Location


def contradictions(settings: Settings) -> Iterator[tuple[Location, str]]:
    """What is wrong between settings, each of which could be right."""
    for group, rights in settings.groups.items():
        for key in ("images", "sizes"):
            defined = getattr(settings, key)
            for index, name in enumerate(getattr(rights, key)):
                if name not in defined:
                    yield (
                        ("groups", group, key, index),
                        f"{name!r} is not defined in {key}:; defined are {', '.join(defined)}",
                    )
        if rights.quota and not settings.storage.quota:
            yield (
                ("groups", group, "quota"),
                "is more than storage.quota, which is not set; set that too",
            )
    yield from _of_storage(settings.storage)
    yield from _of_own(settings.name, settings.own_config)
    yield from _of_groups(settings)
    yield from _of_auth(settings)
    yield from _of_git(settings)
    yield from _of_openings(settings.network)
    for name, size in settings.sizes.items():
        if size.gpu_kind != "gpu" and not size.gpu:
            yield ("sizes", name, "gpu_kind"), "says nothing without gpu:; add how many"
    yield from _of_tls(settings)
    yield from _of_notify(settings)
    ports = {settings.port, settings.redirect_port}
    first, second = settings.network.registry_port, settings.network.push_port
    if settings.services.registry and (taken := ports & {first, second}):
        yield (
            ("network", "registry_port"),
            f"takes the ports {first} and {second}, and the site has {taken.pop()}; choose another",
        )
    if settings.services.has_jenkins and not settings.services.has_releases:
        yield ("services", "jenkins"), "is on, and releases need git: and registry:, too"
    nfs = settings.storage.nfs
    ports |= {first, second}
    if settings.storage.kind == "nfs" and not nfs.server and nfs.port in ports:
        yield ("storage", "nfs", "port"), "is the site's or the registry's; choose another"


def _of_own(stack: str, own: OwnConfig) -> Iterator[tuple[Location, str]]:
    for key in ("mounts", "secrets", "networks"):
        for index, name in enumerate(getattr(own, key)):
            if _may_begin(name.removesuffix(WRITABLE), f"{stack}_"):
                yield (
                    ("own_config", key, index),
                    f"names what is Notehive's own: it begins with {stack}_; "
                    "give yours another name",
                )
    written = [mount.removesuffix(WRITABLE) for mount in own.mounts if mount.endswith(WRITABLE)]
    for index, mount in enumerate(own.mounts):
        above = PurePosixPath(mount).parent
        for other in written:
            if any(fnmatchcase(str(place), other) for place in (above, *above.parents)):
                yield (
                    ("own_config", "mounts", index),
                    f"is inside {other}, which servers write: a link there could lead anywhere "
                    "on a node; name one of the two",
                )


def _may_begin(pattern: str, beginning: str) -> bool:
    """Whether a name that the pattern stands for can begin like this."""
    fixed = pattern.removesuffix("*")
    return fixed.startswith(beginning) or (fixed != pattern and beginning.startswith(fixed))


def _of_notify(settings: Settings) -> Iterator[tuple[Location, str]]:
    if settings.notify.anybody and not settings.services.prometheus:
        yield ("notify",), "needs services.prometheus, which is off; switch that on, or remove this"
    email = settings.notify.email
    if email and bool(email.user) != bool(email.password_file):
        yield ("notify", "email", "user"), "and password_file belong together; set both or none"


def _of_tls(settings: Settings) -> Iterator[tuple[Location, str]]:
    tls, url = settings.tls, urlsplit(settings.url)
    if tls.kind != "off" and url.scheme == "http":
        yield ("url",), f"says http, and tls: is {tls.kind}; write https://{url.netloc}"
    for key in ("certificate", "key"):
        if tls.kind == "files" and not getattr(tls, key):
            yield ("tls", key), "is missing; kind: files needs certificate: and key:"
        if tls.kind != "files" and getattr(tls, key):
            yield ("tls", key), "is for kind: files; set that, or remove this"
    for key in ("email", "server"):
        if tls.kind != "acme" and key in tls.model_fields_set:
            yield ("tls", key), "is for kind: acme; set that, or remove this"
    if tls.kind == "self-signed" and tls.authority:
        yield ("tls", "authority"), "is made by `up` with kind: self-signed; remove this"
    if tls.kind == "acme" and not re.search(r"\.[a-z]", url.hostname or ""):
        yield ("tls", "kind"), "acme needs a name that others know; set url: https://NAME"
    if settings.subdomains and not re.search(r"[a-z]", url.hostname or ""):
        yield ("subdomains",), "needs a name; set url: to one whose subdomains lead here too"
    if settings.subdomains and tls.kind == "acme":
        yield ("subdomains",), "needs a certificate for *.NAME, which kind: acme cannot get"
    if not tls.http_port and (tls.kind == "acme" or settings.is_proxied):
        who = "your proxy asks" if settings.is_proxied else "ACME's server asks"
        yield ("tls", "http_port"), f"is 0, and {who} there; give a port, like 80"
    if settings.port == settings.redirect_port:
        yield ("tls", "http_port"), f"is {settings.port}, the port of url:; choose another, or 0"


def _of_storage(storage: Storage) -> Iterator[tuple[Location, str]]:
    nfs = storage.nfs
    if storage.kind == "local" and nfs != Nfs():
        yield ("storage", "nfs"), "is for kind: nfs; set that, or remove this"
    if storage.kind == "nfs" and storage.path:
        yield (
            ("storage", "path"),
            "is for kind: local; the path of your own NFS server is nfs.path",
        )
    if nfs.server and not nfs.path.startswith("/"):
        yield (
            ("storage", "nfs", "path"),
            f"name the directory that {nfs.server} exports, like /export/notehive",
        )
    if nfs.path and not nfs.server:
        yield (
            ("storage", "nfs", "path"),
            "is for a server of your own; name it with server:, or remove this",
        )
    if re.search(r"(^|,)(addr|port)=", nfs.options):
        yield ("storage", "nfs", "options"), "names the address or port; use server: and port:"


def _of_auth(settings: Settings) -> Iterator[tuple[Location, str]]:
    auth = settings.auth
    for kind in ("ldap", "oauth"):
        given = getattr(auth, kind) is not None
        if given and auth.kind != kind:
            yield ("auth", kind), f"is for kind: {kind}; set that, or remove this"
        if auth.kind == kind and not given:
            yield ("auth", "kind"), f"needs {kind}: beside it; docs/login.md has examples"
    if auth.kind == "ldap" and auth.ldap:
        yield from _of_ldap(auth.ldap)
    if auth.kind == "oauth" and auth.oauth:
        yield from _of_oauth(auth.oauth)
    for theirs, ours in auth.server.group_map.items() if auth.server else ():
        if ours not in settings.groups or ours == EVERYONE:
            defined = ", ".join(name for name in settings.groups if name != EVERYONE) or "none"
            yield (
                ("auth", auth.kind, "group_map", theirs),
                f"{ours!r} is not defined in groups:; defined are {defined}",
            )


def _of_git(settings: Settings) -> Iterator[tuple[Location, str]]:
    git = settings.git
    if git.external and git.kind != "external":
        yield ("git", "external"), "is for kind: external; set that, or remove this"
    if git.kind == "external" and not git.external:
        yield ("git", "kind"), "needs external: beside it; docs/git.md has an example"
    if git.external:
        yield from _of_external(git.external, settings.groups)


def _of_external(external: External, groups: Mapping[str, Group]) -> Iterator[tuple[Location, str]]:
    at = ("git", "external")
    seen: list[str] = []  # addresses without what may be left out
    for model, address in external.repositories.items():
        here, group = (*at, "repositories", model), model.partition("/")[0]
        if group not in groups and group != EVERYONE:
            yield here, f"the group {group!r} is not defined in groups:; define it there"
        if groups.get(group, Group()).shared == "none":
            yield here, f"the group {group!r} shares nothing, so no model can be its"
        if (plain := address.removesuffix(".git")) in seen:
            yield here, f"{address} is another model's too; a repository is of one model"
        if seen and urlsplit(seen[0])[:2] != urlsplit(plain)[:2]:
            # It would be shown the token of the other one.
            yield here, f"{address} is on another server than the first one; use one server"
        seen.append(plain)
    by_ssh = seen[0].startswith("ssh:")
    for key in ("key_file", "known_hosts_file"):
        if by_ssh and not getattr(external, key):
            yield (*at, key), "is missing; addresses with ssh:// need it"
        if not by_ssh and getattr(external, key):
            yield (*at, key), "is for addresses with ssh://; use those, or remove this"
    if by_ssh and external.token_file:
        yield (*at, "token_file"), "is for addresses with https://; use those, or key_file:"


def _of_ldap(ldap: Ldap) -> Iterator[tuple[Location, str]]:
    at = ("auth", "ldap")
    if ldap.user_dn and not re.fullmatch(r"[^{}]*\{username\}[^{}]*", ldap.user_dn):
        yield (
            (*at, "user_dn"),
            "needs {username} once, like uid={username},ou=people,dc=example,dc=com",
        )
    if ldap.user_dn and ldap.bind_dn:
        yield (*at, "user_dn"), "is instead of looking users up; remove this, or bind_dn"
    if not ldap.user_dn and not ldap.user_base:
        yield at, "needs user_base, where users are, or user_dn"
    if bool(ldap.bind_dn) != bool(ldap.bind_password_file):
        yield (*at, "bind_dn"), "and bind_password_file belong together; set both or none"
    if not ldap.group_base and (ldap.allowed_groups or ldap.admin_groups or ldap.group_map):
        yield at, "names groups, but not where they are; add group_base"


def _of_oauth(oauth: OAuth) -> Iterator[tuple[Location, str]]:
    at = ("auth", "oauth")
    if oauth.provider == "oidc" and not oauth.url:
        yield at, "needs url:, the address of your provider"
    if oauth.allowed_domains and oauth.provider != "google":
        yield (*at, "allowed_domains"), "is for provider: google; remove it"
    if oauth.provider == "google" and (oauth.allowed_groups or oauth.admin_groups):
        yield at, "names groups, and Google tells none; use allowed_domains or allowed_users"
    if oauth.is_public and oauth.is_open and not oauth.allowed_domains:
        name = "allowed_domains" if oauth.provider == "google" else "allowed_groups"
        yield at, f"would let anybody in the world in; add {name} or allowed_users"


def _of_groups(settings: Settings) -> Iterator[tuple[Location, str]]:
    """Groups whose members could not start anything that the group is for."""
    everyone = settings.groups.get(EVERYONE, Group())
    if everyone.members:
        yield ("groups", EVERYONE, "members"), "every user is in this group; remove the members"
    for name in settings.groups if settings.services.mlflow else ():
        if len(name) < 2 or name.endswith("-") or name in RESERVED_BY_MLFLOW:
            yield ("groups", name), "cannot be the name of a workspace of MLflow; choose another"
    if settings.services.pypi and "simple" in settings.groups:
        yield ("groups", "simple"), "is an address of the package index; choose another name"
    reserved = {size for group in settings.groups.values() for size in group.sizes}
    for name, group in settings.groups.items():
        if group.limits == Limits() and not group.sizes:
            continue
        limits = group.limits.or_more(everyone.limits)
        # What the group is for; or else what is open to all.
        own = group.sizes or [s for s in settings.sizes if s not in reserved] + everyone.sizes
        sizes = [s for s in own if s in settings.sizes]
        if sizes and not any(limits.admit(settings.sizes[s].limit) for s in sizes):
            smallest = min(sizes, key=lambda s: settings.sizes[s].limit.memory)
            need = settings.sizes[smallest].limit
            key = "sizes" if group.limits == Limits() else "limits"
            yield (
                ("groups", name, key),
                f"no size of the group is within its limits: {smallest} needs {need.cpu:g} CPU "
                f"and {format_memory(need.memory)}; raise the limits or name a smaller size",
            )


def _of_openings(network: Network) -> Iterator[tuple[Location, str]]:
    """Openings to where no wall has one."""
    users = ipaddress.IPv4Network(network.users)
    for name, opening in network.openings.items():
        for index, address in enumerate(opening.addresses):
            wanted = ipaddress.ip_network(address)
            if isinstance(wanted, ipaddress.IPv4Network) and wanted.subnet_of(users):
                yield (
                    ("network", "openings", name, "addresses", index),
                    f"{address} is in network.users, where servers never reach each other; "
                    "name an address outside",
                )
