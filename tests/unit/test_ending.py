"""How a server ended, in words."""

import pytest

from notehive.endings import NO_WALL, OUT_OF_MEMORY
from notehive.hub import ending
from notehive.hub.tasks import Task
from tests.support.engine import node, task


def read(state: str, code: int | None = None, **changes: object) -> Task:
    status = {} if code is None else {"ContainerStatus": {"ExitCode": code}}
    error = changes.pop("error", "")
    return Task.read(task(state, status={**status, "Err": error}, **changes))


NODES = {
    "n1": node("node-1"),
    "n2": node("node-2", state="down"),
    "n3": node("node-3", availability="drain"),
}


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (None, "stopped from outside"),
        (read("failed", 137), "killed"),
        (read("failed", 1), "exit code 1"),
        (read("failed", 127), "built FROM none of Notehive's"),
        (read("failed", NO_WALL), "node-1 has no wall, which keeps users' servers apart"),
        (read("failed", NO_WALL, NodeID="n9"), "Its node has no wall"),
        (read("running", NodeID="n2", DesiredState="shutdown"), "node-2, which is down"),
        (read("running", NodeID="n3", DesiredState="shutdown"), "node-3, which is drained"),
        (read("running", NodeID="n1", DesiredState="shutdown"), "node-1, which is ending"),
        (read("running", NodeID="n9", DesiredState="shutdown"), "left the Swarm, which is gone"),
        (read("rejected", error="no space left"), "rejected on node-1: no space left"),
        (read("orphaned", NodeID="n2"), "orphaned on node-2"),
    ],
)
def test_words(last: Task | None, words: str) -> None:
    assert words in ending.words(last, NODES)


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (
            ending.Memory(2 * 2**30, ["Medium", "Large"]),
            "It ran out of memory: it needed more than its 2 GB. "
            "Choose a larger size: Medium or Large.",
        ),
        (
            ending.Memory(4 * 2**30, []),
            "It ran out of memory: it needed more than its 4 GB. "
            "There is no larger size for you; an administrator can change that.",
        ),
        (None, "It ran out of memory."),
    ],
)
def test_out_of_memory(limit: ending.Memory | None, said: str) -> None:
    assert ending.words(read("failed", OUT_OF_MEMORY), NODES, limit) == said


def test_what_a_user_ended_needs_no_words() -> None:
    assert ending.words(read("complete", 0), NODES) == ""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("No such image: r/x:1", "The image big is not on node-1"),
        ('invalid mount config for type "bind": bind source path does not exist', "refused a fold"),
        ("cgroups: device busy", "node-1 could not start the server (rejected): cgroups"),
        ("", "no reason is given"),
    ],
)
def test_refusal(error: str, words: str) -> None:
    assert words in ending.refusal(read("rejected", error=error), NODES["n1"], "big")
