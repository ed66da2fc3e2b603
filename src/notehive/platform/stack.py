"""stack.yml: what of it is wanted, its variables, its deployment."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

import yaml

from notehive import docker, shell
from notehive.builder.config import BuilderConfig, JobSize, NotebookImage
from notehive.errors import BadInput
from notehive.gate.config import GateConfig
from notehive.hub.config import HubConfig, HubFile, HubImage, HubStorage
from notehive.platform import (
    alertmanager,
    certificate,
    contents,
    distribute,
    identity,
    jenkins,
    machine,
    outside,
    packages,
    services,
    storage,
    swarm,
    upstream,
    walls,
)
from notehive.platform.contents import Content
from notehive.platform.place import ROOT, Workspace
from notehive.platform.secrets import Generation
from notehive.settings import Image, Settings

FILE = ROOT / "stack.yml"
IMAGE_VARIABLE = re.compile(r"\$\{?IMAGE_([A-Z]+)\}?")
AIRFLOW = ("airflow", "airflow-scheduler", "airflow-processor", "airflow-triggerer")
METRICS = (
    "prometheus",
    "swarm-metrics",
    "guard-metrics",
    "node-metrics",
    "node-exporter",
    "nginx-exporter",
    "postgres-exporter",
)
FORMER = "-former"  # ends the names of former secrets in stack.yml
# What is kept is encrypted with them: a service finds them again that was switched off, and knows
# the former ones even when no cookie is to be good any more.
ENCRYPTING = frozenset({"airflow-fernet"})
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"  # what every program in our images trusts


def wanted(settings: Settings, former: Collection[str] = ()) -> dict[str, Any]:
    """Give stack.yml without what these settings do without, and without what only that used.

    ``former``: the secrets of which services are to know the former one too, if they can.
    """
    data: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    for name in [name for name in data["secrets"] if name.endswith(FORMER)]:
        if name.removesuffix(FORMER) not in former:
            _leave_out(data, "secrets", name)
    for section, parts in optional(settings).items():
        for name in (name for name, needed in parts.items() if not needed):
            _leave_out(data, section, name)
    if not settings.redirect_port:
        data["services"]["nginx"]["ports"].pop()
    storage.adapt(data, settings)
    if settings.services.has_jenkins:
        jenkins.adapt(data, settings)
    for section in ("volumes", "networks", "configs", "secrets"):
        used = {
            _source(each)
            for service in data["services"].values()
            for each in service.get(section, ())
        }
        data[section] = {name: value for name, value in data[section].items() if name in used}
    return {key: value for key, value in data.items() if not key.startswith("x-")} | {
        "version": "3.9"  # docker stack deploy of Docker 20.10 wants it
    }


def optional(settings: Settings) -> dict[str, dict[str, bool]]:
    """Give the parts of stack.yml that not every site has, by section, and whether this one has."""
    switched, tls = settings.services, settings.tls
    has_gpus = any(size.gpu for size in settings.sizes.values())
    return {
        "services": {
            **dict.fromkeys(AIRFLOW, switched.airflow),
            **dict.fromkeys(METRICS, switched.prometheus),
            "alertmanager": settings.notify.anybody,
            "api": switched.git,
            "builder": switched.has_releases,
            "certbot": tls.kind == "acme",
            "checks": switched.has_jenkins,
            "git": switched.git,
            "guard-jobs": switched.airflow,
            "jenkins": switched.has_jenkins,
            "mlflow": switched.mlflow,
            "pypi": switched.pypi,
            "registry": switched.registry,
            "registry-forwarder": switched.registry,
            # For other nodes, which a Swarm has none of without registry.
            "network-holder": switched.registry and has_gpus,
            "nfs": storage.has_server(settings.storage),
            "releases": switched.has_jenkins,
        },
        "networks": {
            "alerts": settings.notify.anybody,
            "builder": switched.has_releases,
            "jenkins": switched.has_jenkins,
            "metrics": switched.prometheus,
            "releases": switched.has_jenkins,
        },
        "volumes": {"certificates": tls.kind == "acme", "jenkins-jobs": switched.has_jenkins},
        "configs": {"outside": bool(settings.outside), "trusted": bool(tls.authority)},
        "secrets": {
            "alertmanager": settings.notify.anybody,
            "certificate": tls.kind in ("files", "self-signed"),
            "builder-token": switched.has_releases,
            "fetch-key": switched.has_jenkins,
            "index-login": bool(upstream.login(settings)),
            "login-password": bool(settings.auth.password_file[1]),
            **outside.wanted(settings.outside),
            "package-index": bool(settings.mirrors.pypi),
            "metrics-token": switched.prometheus,
            "postgres-metrics": switched.prometheus,
            "release-token": switched.has_jenkins,
            "usage-token": switched.prometheus,
        },
    }


def _leave_out(data: dict[str, Any], section: str, name: str) -> None:
    """Take a part out of a stack file, and from its services."""
    del data[section][name]
    for service in data["services"].values():
        mounted = service.get(section)
        if isinstance(mounted, dict):
            mounted.pop(name, None)
        elif mounted:
            service[section] = [each for each in mounted if _source(each) != name]


def _source(mounted: str | Mapping[str, str]) -> str:
    """Give the name of what an entry of a service's volumes, networks, configs or secrets is of."""
    return mounted.split(":")[0] if isinstance(mounted, str) else mounted["source"]


def image_names(stack: Mapping[str, Any]) -> list[str]:
    """Give the images of ours that the services of a stack run."""
    found = [IMAGE_VARIABLE.fullmatch(s["image"]) for s in stack["services"].values()]
    return sorted({match[1].lower() for match in found if match})


def node_images(stack: Mapping[str, Any]) -> list[str]:
    """Give the images of ours that run on every node."""
    everywhere = {
        name: service
        for name, service in stack["services"].items()
        if service["deploy"].get("mode") == "global"
    }
    return image_names({"services": everywhere})


def made_secrets(stack: Mapping[str, Any]) -> list[str]:
    """Give the secrets of a stack that are made here, not of what the operator says."""
    return [key for key, told in stack["secrets"].items() if told["name"].endswith(".$GENERATION")]


def notebook_image(key: str, image: Image) -> str:
    """Give the name of our image that a notebook image of the settings is, or nothing.

    Raises BadInput for a folder that is not there.
    """
    folder = (image.image or key).removeprefix("notebooks-images/")
    if "/" not in folder and (ROOT / "notebooks-images" / folder / "Dockerfile").exists():
        return f"notebooks-{folder}"
    if image.image in ("", f"notebooks-images/{folder}"):
        raise BadInput(
            f"images.{key}: there is no notebooks-images/{folder}/Dockerfile; write one, "
            f"or name a folder or a reference that Docker pulls with images.{key}.image:"
        )
    return ""


def notebook_references(settings: Settings, references: Mapping[str, str]) -> dict[str, str]:
    """Give what Docker is to run for each notebook image of the settings, by key."""
    found = {}
    for key, image in settings.images.items():
        ours = notebook_image(key, image)
        found[key] = references[ours] if ours else image.image or key
    return found


def site_url(settings: Settings) -> str:
    """Give where people open the site, without a slash at the end."""
    return settings.url or f"{settings.scheme}://{machine.address()}"


def direct_url(settings: Settings, address: str) -> str:
    """Give where Nginx itself answers, at an address of this machine.

    A certificate is not good for it: who needs to know whom it asks must learn it otherwise.
    """
    return f"{'http' if settings.tls.kind == 'off' else 'https'}://{address}:{settings.port}"


def hub_config(
    settings: Settings,
    references: Mapping[str, str],
    location: HubStorage,
    trusted: HubFile | None = None,
) -> HubConfig:
    """Give what the hub is told."""
    pulled = notebook_references(settings, references)
    images = {}
    for key, image in settings.images.items():
        ours = notebook_image(key, image)
        images[key] = HubImage(
            title=image.title or key,
            description=image.description,
            reference=pulled[key],
            packages=image.packages or (packages.installed(ours) if ours else []),
        )
    return HubConfig(
        stack=settings.name,
        url=site_url(settings),
        subdomains=settings.subdomains,
        admins=settings.admins,
        auth=settings.auth,
        login_ca=identity.certificates(settings.auth),
        groups=settings.groups,
        images=images,
        sizes=settings.sizes,
        culling=settings.culling,
        services=settings.services,
        storage=location,
        own_config=settings.own_config,
        registry_port=settings.network.registry_port,
        constraints=storage.constraints(settings),
        # Without an index of our own. One with a password or token in it is for builds alone.
        pip_index_url=""
        if settings.services.pypi or "@" in urlsplit(settings.mirrors.pypi).netloc
        else settings.mirrors.pypi,
        trusted=trusted,
    )


def builder_config(
    settings: Settings, references: Mapping[str, str], trusted: HubFile | None = None
) -> BuilderConfig:
    """Give what the builder is told."""
    groups = settings.groups.items()
    return BuilderConfig(
        stack=settings.name,
        registry_port=settings.network.registry_port,
        push_port=settings.network.push_port,
        images={
            key: NotebookImage(
                reference=reference,
                groups=[name for name, group in groups if key in group.images],
            )
            for key, reference in notebook_references(settings, references).items()
        },
        sizes={
            key: JobSize(
                cpu=size.limit.cpu,
                memory=size.limit.memory,
                pids=size.pids,
                groups=[name for name, group in groups if key in group.sizes],
            )
            for key, size in settings.sizes.items()
        },
        constraint=f"node.labels.{swarm.data_label(settings.name)} == true",
        trusted=trusted,
        dags=sorted(name for name, group in settings.groups.items() if group.dags),
    )


@dataclass(frozen=True)
class Deployment:
    """A stack file, and the variables and contents that it is deployed with."""

    stack: str
    file: Path
    variables: Mapping[str, str]
    generation: int = 1  # of the secrets that are made here
    contents: Sequence[Content] = ()
    names: Collection[str] = ()  # of all configs and secrets that it uses


def prepare(
    settings: Settings,
    references: Mapping[str, str],
    data_node: str,
    nodes: Sequence[str],
    location: HubStorage,
    workspace: Workspace,
    trusted: HubFile | None = None,
    generation: Generation = Generation(),  # noqa: B008 - it cannot change
) -> Deployment:
    """Write the stack file; give it with all that it needs.

    ``data_node`` and ``nodes`` are addresses, ``trusted`` is what `give_trusted` gave.
    """
    hub = hub_config(settings, references, location, trusted)
    gate = GateConfig(groups=settings.groups)
    name = settings.name
    stack = wanted(settings, generation.former)
    builder, index = b"", b""
    if "builder" in stack["services"]:
        builder = builder_config(settings, references, trusted).model_dump_json(indent=1).encode()
        index = settings.mirrors.pypi.encode()
    told = [
        Content(name, "config", "builder", builder),
        Content(name, "config", "gate", gate.model_dump_json(indent=1).encode()),
        Content(name, "config", "hub", hub.model_dump_json(indent=1).encode()),
        *jenkins.contents(settings),
        *outside.contents(settings),
        Content(name, "config", "walls", walls.chains(settings).encode()),
        Content(name, "secret", "alertmanager", alertmanager.configuration(settings.notify)),
        Content(name, "secret", "certificate", certificate.pair(settings)),
        Content(name, "secret", "index-login", upstream.login(settings).encode()),
        Content(name, "secret", "login-password", identity.secret(settings.auth).encode()),
        Content(name, "secret", "package-index", index),
    ]
    given = [content for content in told if content.data]
    host = certificate.host(settings)
    variables = {
        "STACK": name,
        "URL": site_url(settings),
        "HOST": host,
        # Behind a proxy, users' servers go out and in again through it, as browsers do.
        "ALIAS": "nginx" if settings.is_proxied else host,
        "SUBDOMAINS": "yes" if settings.subdomains else "no",
        "PORT": str(settings.port),
        "HTTP_PORT": str(settings.redirect_port),
        "SCHEME": direct_url(settings, "").partition(":")[0],
        "TLS": settings.tls.kind,
        "ACME_SERVER": settings.tls.server,
        "ACME_EMAIL": settings.tls.email,
        "SERVICES": " ".join([*stack["services"], *outside.pages(settings.outside)]),
        "DATA_NODE": data_node,
        "FORWARDER": distribute.forwarder(settings),
        "NODES": " ".join(nodes),
        "SOCKET_GROUP": str(machine.socket_group()),
        "USERS": settings.network.users,
        "INDEX": upstream.address(settings),
        "METRICS_DAYS": str(settings.retention.metrics),
        "METRICS_SPACE": str(settings.retention.metrics_space),
        "PACKAGE_CACHE": str(settings.packages.cache),
        "GENERATION": str(generation.number),
        "FORMER": str(generation.number - 1),
        "REPLICAS": "1",
        "PUSH_LIMIT": str(settings.git.push_limit),
        "KEEP_RELEASES": str(settings.retention.releases),
        "KEEP_DAYS": str(settings.retention.days),
        "NFS_PORT": str(settings.storage.nfs.port),
        "REGISTRY_PORT": str(settings.network.registry_port),
        "REGISTRY_PUSH_PORT": str(settings.network.push_port),
        "CONFIG_TRUSTED": trusted.name if trusted else "",
        **{content.variable: content.name for content in given},
        **{f"IMAGE_{name.upper()}": references[name] for name in image_names(stack)},
    }
    # Anchors were resolved by reading; what is written is plain, and JSON's numbers stay numbers.
    file = workspace.write(
        "stack.yml", yaml.safe_dump(stack, sort_keys=False, default_flow_style=False)
    )
    names = {
        Template(each["name"]).substitute(variables)
        for section in ("configs", "secrets")
        for each in stack[section].values()
    }
    for number in (generation.number, generation.number - 1):
        names |= {f"{name}_{key}.{number}" for key in ENCRYPTING}
    if trusted:
        names.add(trusted.name)  # users' servers have it, whether or not a service has
    return Deployment(name, file, variables, generation.number, given, names)


def give_trusted(settings: Settings) -> HubFile | None:
    """Let the Swarm have what users' servers trust, if the images' bundle is not enough.

    The hub is told its id.
    """
    if not certificate.authority(settings):
        return None
    content = Content(settings.name, "config", "trusted", certificate.trusted(settings))
    return HubFile(id=contents.ensure(content), name=content.name, target=TRUSTED)


def deploy(deployment: Deployment, say: Callable[[str], None]) -> None:
    """Give the stack to the Swarm, and wait until it runs."""
    for content in deployment.contents:
        contents.ensure(content)
    if not has_secrets_of(deployment.stack, deployment.generation):
        # Two generations do not understand each other. Whoever asks the hub or MLflow before they
        # come back with what the others know, hears from Nginx to ask again.
        _deploy(deployment, {"REPLICAS": "0"})
        services.await_arrival(deployment.stack, say)
    _deploy(deployment, {})
    services.await_arrival(deployment.stack, say)


def _deploy(deployment: Deployment, changes: Mapping[str, str]) -> None:
    command = docker.deploy(str(deployment.file), deployment.stack)
    shell.run(command, env={**deployment.variables, **changes})


def has_secrets_of(stack: str, generation: int) -> bool:
    """Whether the hub, if there is one, has secrets of this generation."""
    name = f"{stack}_hub-cookie.{generation}"
    return all(
        name in [each["SecretName"] for each in services.container_spec(hub).get("Secrets", ())]
        for hub in docker.inspect("service", f"{stack}_hub")
    )


def remove_old(deployment: Deployment) -> None:
    """Remove the configs and secrets of earlier deployments; what a task still uses stays."""
    for kind in ("config", "secret"):
        for name in docker.created(kind, deployment.stack):
            if name not in deployment.names:
                shell.run(docker.command(kind, "rm", name), check=False)
