"""What belongs to no server is removed; what belongs to one is not."""

import asyncio
from types import SimpleNamespace
from typing import Any

from notehive.hub.sweep import sweep
from tests.support.engine import StandInEngine


def spawner(name: str, service: str, *, active: bool) -> SimpleNamespace:
    return SimpleNamespace(name=name, object_name=service, active=active)


def users() -> dict[int, Any]:
    ana = SimpleNamespace(
        name="ana",
        spawners={
            "": spawner("", "nh-ana", active=True),
            "gpu": spawner("gpu", "nh-ana-gpu", active=False),
        },
    )
    return {1: ana}


def service(name: str) -> dict[str, Any]:
    return {"ID": f"id-{name}", "Spec": {"Name": name}}


def token(user: str, server: str) -> dict[str, Any]:
    labels = {"notehive.user": user, "notehive.server": server}
    return {"ID": f"id-{user}-{server}", "Spec": {"Name": f"t-{user}-{server}", "Labels": labels}}


def test_orphans_go_and_others_stay() -> None:
    engine = StandInEngine(
        services=[service("nh-ana"), service("nh-ana-gpu"), service("nh-bob")],
        secrets=[token("ana", ""), token("ana", "gpu"), token("bob", "")],
    )
    removed = asyncio.run(sweep(engine, "nh", users()))
    assert removed == ["nh-ana-gpu", "nh-bob", "t-ana-gpu", "t-bob-"]
    gone = [args[0] for method, args, _ in engine.asked if method.startswith("remove_")]
    assert gone == ["id-nh-ana-gpu", "id-nh-bob", "id-ana-gpu", "id-bob-"]
    looked = {method: options["filters"]["label"] for method, _, options in engine.asked[:2]}
    assert looked == {
        "services": ["notehive.stack=nh", "notehive.kind=server"],
        "secrets": ["notehive.stack=nh", "notehive.kind=token"],
    }, "and nothing of another stack, nor of the platform"


def test_a_server_that_is_made_meanwhile_is_known() -> None:
    """The hub's servers are looked at after the engine's."""
    everyone = users()

    def services(**_: Any) -> list[dict[str, Any]]:
        everyone[2] = SimpleNamespace(name="eve", spawners={"": spawner("", "nh-eve", active=True)})
        return [service("nh-eve")]

    engine = StandInEngine(services=services)
    assert asyncio.run(sweep(engine, "nh", everyone)) == []
