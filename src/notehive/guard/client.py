"""The calls of a client that makes services for users' code, each with a secret of its own."""

from notehive.guard import answers
from notehive.guard.calls import Call, Read, ReadMany, ReadVersion
from notehive.guard.ours import InspectOurs, ListOurs, RemoveOurs
from notehive.guard.rules import Rules
from notehive.guard.services import CreateSecret, CreateService


def calls(rules: Rules) -> list[Call]:
    """Give them: to look at the Swarm, and to make, find and remove what the rules let it have."""
    return [
        ReadVersion("/version", answers.VERSION),
        ReadMany("/tasks", answers.TASK),
        Read("/nodes", answers.NODE),
        Read(f"/networks/{rules.network}", answers.NETWORK),
        ListOurs("/services", rules.labels),
        CreateService("/services/create", rules),
        InspectOurs("/services", rules.labels),
        RemoveOurs("/services", rules.labels),
        ListOurs("/secrets", rules.token),
        CreateSecret("/secrets/create", rules),
        RemoveOurs("/secrets", rules.token),
    ]
