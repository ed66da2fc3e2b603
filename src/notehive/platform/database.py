"""The database's volume: made once, on one node, and never a second, empty one."""

from notehive import docker, shell
from notehive.errors import BadInput
from notehive.platform import swarm

VOLUME_PATH = "/var/lib/postgresql/data"


def volume(stack: str) -> str:
    """Name of the volume."""
    return f"{stack}_postgres"


def require_intact(stack: str, here: swarm.Membership) -> None:
    """Raise BadInput if the database is on another node, or should be here and is not."""
    if not swarm.has_data_here(stack, here.node) or docker.inspect("volume", volume(stack)):
        return
    label = swarm.data_label(stack)
    raise BadInput(
        f"{volume(stack)}: the volume of the database is missing on this node; restore it, or "
        f"begin with an empty one: `docker node update --label-rm {label} {here.node}`"
    )


def ensure(stack: str, image: str) -> bool:
    """Make an empty database on this node unless the stack has one; say whether it was made.

    The node's label is set last, so that an interrupted start is simply done again.
    """
    if swarm.data_node(stack) is not None:
        return False
    name = volume(stack)
    shell.run(docker.command("volume", "create", *docker.labels({"notehive.stack": stack}), name))
    shell.run(
        docker.command(
            *("run", "--rm", "--network=none", "--volume", f"{name}:{VOLUME_PATH}"),
            *(image, "/opt/notehive/postgres/start", "init"),
        )
    )
    here = swarm.membership().node
    shell.run(
        docker.command("node", "update", "--label-add", f"{swarm.data_label(stack)}=true", here)
    )
    return True
