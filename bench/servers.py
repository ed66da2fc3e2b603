"""Users' servers as the Swarm has them: those of a stack are named STACK-..."""

from notehive import docker, shell
from tests.support.site import wait_for


def services(stack: str) -> list[str]:
    """Give the ids of the services of the stack's servers."""
    return docker.output("service", "ls", "--quiet", "--filter", f"name={stack}-").split()


def are_gone(stack: str) -> bool:
    """Whether nothing of any server is left, stopped containers included: the machine is quiet."""
    containers = docker.output("ps", "--all", "--quiet", "--filter", f"name=^{stack}-")
    return not containers and not services(stack)


def remove_all(stack: str) -> None:
    """Remove all servers of the stack, and their homes."""
    if found := services(stack):
        shell.run(docker.command("service", "rm", *found), check=False)
    wait_for(f"the end of the servers of {stack}", lambda: are_gone(stack), 120)
    homes = docker.output("volume", "ls", "--quiet", "--filter", f"name=^{stack}-").split()
    if homes:
        shell.run(docker.command("volume", "rm", *homes))
