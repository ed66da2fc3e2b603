"""`down`: stop everything of a stack, keep its data; `down --purge` forgets them too."""

from notehive import docker, shell
from notehive.builder.labels import SMOKE
from notehive.jobs.step import KIND as JOB
from notehive.jobs.step import TOKEN as JOB_TOKEN
from notehive.platform import prepull, self_signed, services, swarm
from notehive.platform.patience import until_none
from notehive.platform.steps import Steps


def down(stack: str, steps: Steps, *, purge: bool = False) -> None:
    """Remove the services and networks of a stack; with ``purge`` also all that it has kept."""
    label = f"label=notehive.stack={stack}"
    services.require_ours(stack)
    if purge:
        swarm.has_data_here(stack, swarm.membership().node)
    with steps.step("Users' servers") as step:
        servers = ids("service", label, "label=notehive.kind=server")
        remove("service", servers)
        step.say(str(len(servers)))
    for kind in (prepull.KIND, JOB, SMOKE):
        remove("service", ids("service", label, f"label=notehive.kind={kind}"))
    with steps.step("Services") as step:
        # Networks that an earlier `down` is still removing make it fail; what counts comes next.
        shell.run(docker.command("stack", "rm", stack), check=False)
        await_gone(stack)
    with steps.step("Network"):
        await_removed(ids("network", label))
        remove("config", ids("config", label))
        for kind in ("token", JOB_TOKEN):
            remove("secret", ids("secret", label, f"label=notehive.kind={kind}"))
    if not purge:
        return
    with steps.step("Data"):
        remove("secret", ids("secret", label))
        self_signed.forget(stack)
        for volume in ids("volume", label):
            shell.run(docker.command("volume", "rm", "--force", volume))
        node = swarm.data_node(stack)
        if node:
            shell.run(
                docker.command("node", "update", "--label-rm", swarm.data_label(stack), node["ID"])
            )


def ids(kind: str, *filters: str) -> list[str]:
    """Give the ids of the objects of a kind that carry all the labels."""
    flags = [part for value in filters for part in ("--filter", value)]
    return docker.output(kind, "ls", "--quiet", *flags).split()


def remove(kind: str, names: list[str]) -> None:
    """Remove objects that may vanish by themselves meanwhile."""
    if names:
        shell.run(docker.command(kind, "rm", *names), check=False)


def await_gone(stack: str, seconds: float = 120) -> None:
    """Wait until the stack has no service, and this node no container of it any more."""
    labels = f"com.docker.stack.namespace={stack}", f"notehive.stack={stack}"

    def left() -> bool:
        # Stopped ones too: they hold their volumes until the engine has removed them.
        return bool(services.listed(stack)) or any(
            docker.output("ps", "--all", "--quiet", "--filter", f"label={label}")
            for label in labels
        )

    until_none(left, seconds, lambda _: "down: containers do not stop; see `docker ps`")


def await_removed(networks: list[str], seconds: float = 60) -> None:
    """Remove networks as soon as the last task has left them."""

    def left() -> bool:
        remove("network", networks)
        return bool(docker.inspect("network", *networks))

    until_none(left, seconds, lambda _: f"down: the network {networks[0]} is still in use")
