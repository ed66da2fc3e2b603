"""A stand-in for the Docker engine, for tests without one: it keeps what it is asked."""

from collections.abc import Callable
from typing import Any

from notehive.hub.engine import Engine


class StandInEngine(Engine):
    """Answers each method by what a test has set: a value, or a function of the arguments."""

    def __init__(self, **answers: Any) -> None:
        super().__init__()
        self.asked: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.answers: dict[str, Any] = {
            "secrets": [],
            "tasks": [],
            "nodes": [],
            "services": [],
            "create_secret": {"ID": "secret-id"},
            "create_service": {"ID": "service-id"},
            **answers,
        }

    async def call(self, method: str, *args: Any, **options: Any) -> Any:
        """Keep the question; give the answer."""
        self.asked.append((method, args, options))
        answer = self.answers.get(method, {})
        if isinstance(answer, Exception):
            raise answer
        return answer(*args, **options) if isinstance(answer, Callable) else answer  # type: ignore[arg-type]

    @property
    def methods(self) -> list[str]:
        """What was asked, in order."""
        return [method for method, _, _ in self.asked]

    def the(self, method: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments of the only call of a method."""
        [found] = [(args, options) for name, args, options in self.asked if name == method]
        return found


def task(state: str = "running", **changes: Any) -> dict[str, Any]:
    """Give a task as the engine describes it; ``changes`` replace keys, Status's by ``status``."""
    status = {"State": state, **changes.pop("status", {})}
    return {
        "ID": "task",
        "ServiceID": "service-id",
        "NodeID": "n1",
        "CreatedAt": "2026-01-01T00:00:00Z",
        "DesiredState": "running",
        "Status": status,
        "Spec": {},
        **changes,
    }


def node(
    name: str = "node-1",
    *,
    cpu: float = 4,
    memory: int = 8 * 2**30,
    generic: dict[str, int] | None = None,
    labels: dict[str, str] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Give a node as the engine describes it."""
    resources: dict[str, Any] = {"NanoCPUs": int(cpu * 1e9), "MemoryBytes": memory}
    if generic:
        resources["GenericResources"] = [
            {"DiscreteResourceSpec": {"Kind": kind, "Value": value}}
            for kind, value in generic.items()
        ]
    return {
        "ID": name.replace("node-", "n"),
        "Spec": {
            "Availability": changes.get("availability", "active"),
            "Role": changes.get("role", "worker"),
            "Labels": labels or {},
        },
        "Description": {"Hostname": name, "Resources": resources, "Platform": {"OS": "linux"}},
        "Status": {"State": changes.get("state", "ready")},
    }
