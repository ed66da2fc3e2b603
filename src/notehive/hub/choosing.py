"""How a spawner lets its user choose: the form, the check, and what it holds from then on."""

from contextvars import ContextVar
from typing import Any

from tornado.web import HTTPError

from notehive.hub.config import HubConfig
from notehive.hub.holdings import Holding, total
from notehive.hub.options import Choice, check_options, options_from_form
from notehive.hub.refusal import refusal
from notehive.hub.released import offered
from notehive.hub.rights import rights_of
from notehive.hub.spawn_form import render_form

# What the request in hand asked for by the form. JupyterHub draws a refused form for the user's
# default server, whichever server it was for, so a spawner cannot know it.
asked: ContextVar[dict[str, Any] | None] = ContextVar("asked", default=None)


def held_by(user: Any) -> Holding:
    """Give what the servers of a user hold that start, run or stop now."""
    return total(
        spawner.holding
        for spawner in user.spawners.values()
        if spawner.active and spawner.holding is not None
    )


class ChoosingSpawner:
    """The part of a spawner that lets its user choose; a mixin for subclasses of Spawner.

    What a server holds is noted when it is granted, before anything else can run, and kept in
    the spawner's state: of two that are asked for at once, the second sees the first, and a
    size that is changed later does not change what is held.
    """

    # What JupyterHub's Spawner and the spawner of this platform have.
    user: Any
    orm_spawner: Any
    user_options: Any
    platform: HubConfig

    holding: Holding | None = None  # None until it is granted, and after the end

    async def form(self) -> str:
        """The spawn form for this user, with what was asked for, or chosen last time, selected."""
        chosen = asked.get() or self.orm_spawner.user_options or {}
        platform = offered(self.platform)
        rights = rights_of(platform, self.user)
        return render_form(platform, rights, held_by(self.user), chosen)

    def check(self, options: Any) -> Choice:
        """Give the choice that these options make now, or raise 400 with the reason."""
        platform = offered(self.platform)
        rights, held = rights_of(platform, self.user), held_by(self.user)
        try:
            return check_options(platform, rights, held, options)
        except ValueError as error:
            raise refusal(400, str(error)) from None

    def options_from_query(self, query: dict[str, list[Any]]) -> Any:
        """Take a form that was filled in by a link."""
        return self.run_options_from_form(query)  # type: ignore[attr-defined]

    def apply_choice(self) -> None:
        """Check the user's options, whichever way they came, and set image and limits by them."""
        try:
            choice = self.check(self.user_options)
        except HTTPError:
            # JupyterHub has kept them as the default of the next start.
            self.orm_spawner.user_options = {}
            raise
        self.user_options = self.orm_spawner.user_options = choice._asdict()
        size = self.platform.sizes[choice.size]
        self.cpu_limit, self.mem_limit = size.limit.cpu, size.limit.memory
        self.cpu_guarantee, self.mem_guarantee = size.reserved.cpu, size.reserved.memory
        self.holding = Holding(1, size.limit.cpu, size.limit.memory)
        self.orm_spawner.state = self.get_state()  # for a hub that is restarted meanwhile

    def get_state(self) -> dict[str, Any]:
        """Give what a restarted hub needs to know of this server."""
        state: dict[str, Any] = super().get_state()  # type: ignore[misc]
        return state | ({"holding": self.holding} if self.holding else {})

    def load_state(self, state: dict[str, Any]) -> None:
        """Take what an earlier hub noted."""
        super().load_state(state)  # type: ignore[misc]
        self.holding = Holding(*state["holding"]) if "holding" in state else None

    def clear_state(self) -> None:
        """Forget the server that has ended."""
        super().clear_state()  # type: ignore[misc]
        self.holding = None


def update_choosing(c: Any, config: HubConfig) -> None:
    """Let users choose, on a spawner that is a ChoosingSpawner."""

    async def form(spawner: ChoosingSpawner) -> str:
        return await spawner.form()

    def from_form(formdata: dict[str, list[Any]], spawner: ChoosingSpawner) -> dict[str, Any]:
        options = options_from_form(formdata)
        asked.set(options)
        # A form is refused here, before anything is begun that would have to be undone: the hub
        # waits one second for a reason to show with the form.
        spawner.check(options)
        return options

    def named_servers(handler: Any) -> int:
        """How many servers with names a user may keep: as many as may run. 0 is no limit."""
        # The first part of the path is the user, but for pages that are about oneself.
        name = handler.path_args[0] if handler.path_args else None
        user = handler.find_user(name) if name else handler.current_user
        return (rights_of(config, user).limits.servers or 0) if user else 0

    c.JupyterHub.allow_named_servers = True
    c.JupyterHub.named_server_limit_per_user = named_servers
    c.Spawner.options_form = form
    c.Spawner.options_from_form = from_form
    c.Spawner.apply_user_options = lambda spawner, user_options: spawner.apply_choice()
