"""How a job ended, in words for the page of its task."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from notehive.endings import OUT_OF_MEMORY
from notehive.hub import ending
from notehive.hub.amounts import memory
from notehive.hub.tasks import Task

FAILED = 1  # exit code of a step that says by its last line what is wrong
REMOVED = "Its service was removed by somebody else."


class Verdict(NamedTuple):
    """Whether a job did its work, and why it did not."""

    done: bool
    words: str = ""


def judge(
    task: Task | None, nodes: Mapping[str, Mapping[str, Any]], limit: int, last: str
) -> Verdict:
    """Judge a job by its last task; ``limit``: its memory (bytes), ``last``: line of its log."""
    if task is None:
        return Verdict(False, REMOVED)
    if task.exit_code == 0:
        return Verdict(True)
    if task.exit_code == FAILED and last:
        return Verdict(False, last)
    if task.exit_code in (OUT_OF_MEMORY, ending.KILLED):
        surely = (
            "It ran" if task.exit_code == OUT_OF_MEMORY else "It was killed; most likely it ran"
        )
        return Verdict(
            False,
            f"{surely} out of memory: it may use {memory(limit)}. "
            "Give the model a larger size: in model.yml.",
        )
    if task.exit_code is None and task.state == "rejected":
        return Verdict(False, ending.refusal(task, nodes.get(task.node), "of this release"))
    return Verdict(False, ending.words(task, nodes))
