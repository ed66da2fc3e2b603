"""Why a task does not run, in one word: so many reasons that each can have a series."""

import re

from notehive.endings import OUT_OF_MEMORY
from notehive.hub.tasks import Task

KILLED = 128 + 9
# Of what the Swarm and its engines say; the first that fits.
SAID = (
    ("unhealthy", re.compile("unhealthy")),
    ("resources", re.compile("insufficient resources")),
    ("placement", re.compile("no suitable node")),
    ("image", re.compile("No such image|pull access denied|manifest|pulling")),
    ("mount", re.compile("mount")),
    ("network", re.compile("network|available IP|address")),
)


def reason(task: Task) -> str:
    """Give why a task is not running; nothing for one that is, or was ended by the Swarm."""
    if task.running or (task.exit_code == 0 and not task.error):
        return ""
    for word, said in SAID:
        if said.search(task.error):
            return word
    if task.state == "orphaned":
        return "node"
    if task.exit_code is not None and task.state == "failed":
        return {OUT_OF_MEMORY: "memory", KILLED: "killed"}.get(task.exit_code, "exit")
    return "other" if task.error else ""
