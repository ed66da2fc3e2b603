"""`up`: first look, then change. Every change is safe to do again."""

import ssl
import urllib.request
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from notehive import docker
from notehive.errors import BadInput, NotehiveError
from notehive.platform import (
    accounts,
    acme,
    certificate,
    checks,
    database,
    debian,
    distribute,
    images,
    jenkins,
    machine,
    nodes,
    prepull,
    secrets,
    self_signed,
    services,
    site,
    stack,
    storage,
    swarm,
)
from notehive.platform.patience import until_none
from notehive.platform.place import ROOT, Workspace
from notehive.platform.steps import Steps
from notehive.settings import Settings

Say = Callable[[str], None]


@dataclass(frozen=True)
class Login:
    """The administrator's account, if `up` made it now."""

    name: str
    password: str


def check(settings: Settings, steps: Steps) -> None:
    """Do all the checks; raise BadInput at the first that fails."""
    for title, look in checks.all_checks():
        with steps.step(title) as step:
            step.say(look(settings))


def up(
    settings: Settings,
    steps: Steps,
    *,
    patch: bool = False,
    renew_secrets: bool = False,
    log_out: bool = False,
) -> Login | None:
    """Bring the machine and the Swarm to what the settings say.

    ``renew_secrets`` gives the services new ones; with ``log_out`` no cookie that was signed with
    a former one is good any more.
    """
    steps.heading("Checks (nothing is changed yet)")
    check(settings, steps)
    steps.heading("Changes")
    workspace = Workspace.of(settings.name)
    with steps.step("Docker engine") as step:
        step.say(machine.ensure_engine())
    with steps.step("Swarm") as step:
        done = swarm.ensure_swarm()
        step.say(done) if done else step.skip("is there")
    ensure_base(settings, steps, workspace, patch=patch)
    settings = with_jenkins(settings, steps, workspace, patch=patch)
    references = build(settings, steps, workspace, wanted_images(settings))
    wanted = stack.wanted(settings)
    with steps.step("Secrets") as step:
        generation = secrets.current(settings.name)
        kept = stack.ENCRYPTING & set(generation.keys)
        made_here = sorted(kept.union(stack.made_secrets(wanted)))
        if renew_secrets and stack.has_secrets_of(settings.name, generation.number):
            generation = secrets.begin(settings.name, generation, made_here[0])
        created = secrets.ensure(settings.name, generation, made_here)
        if log_out:
            generation = replace(generation, former=stack.ENCRYPTING & set(generation.former))
        if renew_secrets:
            step.say("all anew")
        elif created:
            step.say(f"made {', '.join(created)}")
        else:
            step.skip("are there")
    if settings.tls.kind == "self-signed":
        with steps.step("Certificate") as step:
            made = self_signed.ensure(
                settings.name, certificate.hosts(settings), references["nginx"]
            )
            step.say("made") if made else step.skip("is there")
    with steps.step("Database") as step:
        made = database.ensure(settings.name, references["postgres"])
        step.say("made") if made else step.skip("is there")
    with steps.step("Storage") as step:
        done = storage.ensure(settings)
        step.say(done) if done else step.skip("is there")
    with steps.step("Network") as step:
        made = swarm.ensure_network(f"{settings.name}_users", settings.network.users, settings.name)
        step.say(settings.network.users) if made else step.skip("is there")
    notebooks = stack.notebook_references(settings, references)
    distribute.tag_forwarder(settings, references["nginx"])
    # What other nodes run. It comes first, for they pull what is changed below.
    elsewhere = [
        distribute.forwarder(settings),
        *(references[name] for name in stack.node_images(wanted)),
        *notebooks.values(),
    ]
    share(settings, steps, elsewhere)
    with steps.step("Services") as step:
        node = swarm.data_node(settings.name)
        if node is None:
            raise NotehiveError("Swarm: no node keeps the data; run `./notehive up` again")
        address = swarm.address(node)
        deployment = stack.prepare(
            settings,
            references,
            address,
            [swarm.address(node) for node in swarm.nodes()],
            storage.location(settings, address),
            workspace,
            stack.give_trusted(settings),
            generation,
        )
        stack.deploy(deployment, step.say)
        step.say(f"{len(wanted['services'])} run")
        stack.remove_old(deployment)
    with steps.step("Site") as step:
        await_site(stack.direct_url(settings, "127.0.0.1"))
        step.say(stack.site_url(settings))
    if settings.tls.kind != "off":
        with steps.step("Certificate is served") as step:
            if settings.tls.kind == "acme":
                step.say(acme.obtain(settings))
            certificate.await_served(settings)
    if distribute.forwarder(settings) in share(settings, steps, elsewhere):
        services.renew(swarm.forwarder(settings.name))  # they could not pull it before
    parts = [*(["forwarder"] if settings.services.registry else []), "wall"]
    with steps.step("Nodes") as step:
        step.say(nodes.await_ready(settings.name, parts, step.say))
    with steps.step("Images to the nodes") as step:
        created = prepull.ensure(settings.name, notebooks)
        step.say(f"pulling {', '.join(created)}") if created else step.skip("are there")
    with steps.step("Administrator") as step:
        login = ensure_admin(settings)
        step.say(login.name) if login else step.skip(f"{settings.admins[0]} is there")
    return login


def with_jenkins(
    settings: Settings, steps: Steps, workspace: Workspace, *, patch: bool = False
) -> Settings:
    """Give the settings with `services.jenkins` decided, and its images built if it is on."""

    def made() -> None:
        build(settings, steps, workspace, ["agent"])

    chosen = jenkins.decide(settings, workspace, made, again=patch)
    if why := jenkins.left_out(settings, workspace):
        with steps.step("Jenkins") as step:
            step.skip(f"left out: {why}")
    return chosen


def pull_jenkins(settings: Settings, steps: Steps) -> None:
    """Pull what Jenkins' image is built on. Raises BadInput; for a site that can do without."""
    failed: BadInput | None = None
    with steps.step("Jenkins' image") as step:
        try:
            done = jenkins.ensure_base(settings.mirrors)
            step.say(done) if done else step.skip("is there")
        except BadInput as error:
            failed = error
            step.skip("cannot be pulled")
    if failed:
        raise failed


def share(settings: Settings, steps: Steps, references: Sequence[str]) -> list[str]:
    """Push images to the registry, if other nodes pull from it; give those that it lacked."""
    if not distribute.is_needed(settings):
        return []
    absent = distribute.missing(settings, references)
    if absent:
        with steps.step("Images to the registry") as step:
            distribute.push_all(settings, absent, step.say)
            step.say(str(len(absent)))
    return absent


def ensure_base(
    settings: Settings, steps: Steps, workspace: Workspace, *, patch: bool = False
) -> None:
    """Make the Debian image that all others are built on, unless it is there; ``patch``: anew."""
    with steps.step("Base image") as step:
        done = debian.ensure(settings.mirrors, workspace.logs / "debian.log", step.say, renew=patch)
        step.say(done) if done else step.skip("is there")
    if patch:
        workspace.write("patched", datetime.now(UTC).isoformat(timespec="seconds"))


def build(
    settings: Settings, steps: Steps, workspace: Workspace, names: Collection[str]
) -> dict[str, str]:
    """Build those of the images that are missing, on the base image that is there.

    Gives the full names of all that they need.
    """
    every = images.tree(ROOT)
    if unknown := [name for name in names if name not in every]:
        raise BadInput(f"image {unknown[0]}: there is none; there are {', '.join(every)}")
    chosen = {name: every[name] for name in images.with_parents(every, names)}
    source = images.Source(
        ROOT,
        site.base_files(settings, workspace.read("patched")),
        debian.IMAGE,
        debian.require_image(),
        f"127.0.0.1:{settings.network.registry_port}",
    )
    references = source.references(chosen)
    missing = absent(references)
    if "jenkins" in missing:
        pull_jenkins(settings, steps)
    if not missing:
        with steps.step("Images") as step:
            step.skip(f"{len(chosen)} are there")
        return references
    mirrors = workspace.write("mirrors.sh", site.build_secret(settings))
    builder = images.Builder(source, workspace.logs, {"mirrors": str(mirrors)})

    def run(name: str, work: Callable[[Say], None]) -> None:
        with steps.step(f"Image {name}") as step:
            work(step.say)
            step.say("")

    builder.build_all(chosen, missing, references, run)
    return references


def wanted_images(settings: Settings) -> list[str]:
    """Give the images of ours that the services and the spawn form need."""
    notebooks = [
        name for key, image in settings.images.items() if (name := stack.notebook_image(key, image))
    ]
    return [*stack.image_names(stack.wanted(settings)), *notebooks]


def absent(references: Mapping[str, str]) -> list[str]:
    """Give the images whose reference this engine does not have."""
    found = docker.inspect("image", *references.values())
    there = {tag for image in found for tag in image["RepoTags"] or ()}
    return [name for name, reference in references.items() if reference not in there]


def await_site(url: str, seconds: float = 60) -> None:
    """Wait until the hub answers through Nginx, which is asked at an address of this machine."""
    # Not by http_proxy; and whatever its certificate: it may be one until the first one comes.
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=unverified)
    )

    def trouble() -> str:
        try:
            with direct.open(f"{url}/hub/health", timeout=5):
                return ""
        except OSError as error:
            return str(error) or "no answer"

    until_none(
        trouble,
        seconds,
        lambda why: f"site: {url} does not lead to the hub ({why}); see `./notehive logs nginx`",
    )


def ensure_admin(settings: Settings) -> Login | None:
    """Make the first administrator's account, unless there is one; give its login.

    With a directory or a provider there is none to make: who is named so there, administers.
    """
    if settings.auth.server is not None:
        return None
    name = settings.admins[0]
    users = accounts.ask(settings.name, "user-list", {})["users"]
    if any(user["name"] == name and user["approved"] for user in users):
        return None
    answer = accounts.ask(settings.name, "user-add", {"name": name, "groups": [], "admin": True})
    return Login(answer["name"], answer["password"])
