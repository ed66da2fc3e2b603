"""The exporter of the Swarm's state as a client: it looks, and changes nothing."""

from notehive.guard import answers
from notehive.guard.calls import Call, Read, ReadMany, ReadVersion
from notehive.guard.ours import ListOurs
from notehive.hub.config import HubConfig


def calls(config: HubConfig) -> list[Call]:
    """Give every call that the exporter may make; there is no other."""
    return [
        ReadVersion("/version", answers.VERSION),
        ReadMany("/tasks", answers.TASK_IN_CONTAINER),
        Read("/nodes", answers.NODE),
        Read(f"/networks/{config.stack}_users", answers.NETWORK),
        ListOurs("/services", {"notehive.stack": config.stack}, answers.SERVICE),
    ]
