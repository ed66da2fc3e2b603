"""The built-in steps by name. Each is imported when a step asks for it: some are heavy."""

from collections.abc import Callable
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from notehive.models.step.failure import Failed
from notehive.models.step.job import Job
from notehive.models.step.log import Log

if TYPE_CHECKING:
    from notehive.models.project import Project

Handler = Callable[[Job, "Project", Log], None]


class Steps:
    """The steps that are no notebooks."""

    def __init__(self) -> None:
        self._places: dict[str, str] = {}

    def register(self, name: str, place: str) -> None:
        """Have a step handled by a function, `module:function`."""
        self._places[name] = place

    def handler(self, name: str) -> Handler:
        """Give what handles a step; raise Failed if there is no such step."""
        if name not in self._places:
            raise Failed(
                f"{name}: is no notebook, and no step of Notehive: {', '.join(self.names())}"
            )
        handler: Handler = resolve_name(self._places[name])
        return handler

    def names(self) -> list[str]:
        """Give the names of the steps."""
        return sorted(self._places)


steps = Steps()
for built_in in ("drift", "promote", "publish-table", "validate"):
    steps.register(built_in, f"notehive.models.{built_in.replace('-', '_')}:run")
