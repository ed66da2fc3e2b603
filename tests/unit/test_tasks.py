"""Every state that SwarmKit's tasks can have, judged."""

import pytest

from notehive.hub.tasks import Task, current
from tests.support.engine import task

STARTING = ["new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting"]
ENDED = ["complete", "failed", "shutdown", "rejected", "orphaned", "remove"]


@pytest.mark.parametrize("state", STARTING)
def test_on_its_way(state: str) -> None:
    found = Task.read(task(state))
    assert (found.starting, found.running, found.present) == (True, False, True)


@pytest.mark.parametrize("state", ENDED)
def test_ended(state: str) -> None:
    found = Task.read(task(state, DesiredState="shutdown"))
    assert (found.starting, found.running, found.present) == (False, False, False)


@pytest.mark.parametrize("desired", ["shutdown", "remove", "complete"])
def test_running_but_not_to_live(desired: str) -> None:
    """As on a node that is lost or drained, or when the service is being removed."""
    found = Task.read(task("running", DesiredState=desired))
    assert (found.starting, found.running, found.present) == (False, False, True)


def test_addresses_are_without_their_prefix() -> None:
    attachments = [
        {"Network": {"Spec": {"Name": name}}, "Addresses": [address]}
        for name, address in (("ingress", "10.0.0.3/24"), ("users", "10.96.0.9/16"))
    ]
    found = Task.read(task(NetworksAttachments=attachments))
    assert found.addresses == {"ingress": "10.0.0.3", "users": "10.96.0.9"}
    assert Task.read(task(NetworksAttachments=None)).addresses == {}


def test_an_exit_code_is_of_a_task_that_ended() -> None:
    status = {"ContainerStatus": {"ExitCode": 0}}
    assert Task.read(task("running", status=status)).exit_code is None
    assert Task.read(task("complete", status=status)).exit_code == 0
    assert Task.read(task("rejected")).exit_code is None


def test_the_newest_that_is_to_live_speaks_for_the_service() -> None:
    """A lost node's task still says `running` long after its service has another."""
    lost = Task.read(task(ID="lost", DesiredState="shutdown", CreatedAt="2026-01-01T03:00:00Z"))
    old = Task.read(task(ID="old", CreatedAt="2026-01-01T01:00:00Z"))
    new = Task.read(task("preparing", ID="new", CreatedAt="2026-01-01T02:00:00Z"))
    for tasks in ([lost, old, new], [new, old, lost]):
        found = current(tasks)
        assert found is not None
        assert found.id == "new"
    assert current([lost]) is lost
    assert current([]) is None
