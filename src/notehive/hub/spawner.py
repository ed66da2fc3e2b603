"""Users' servers as Swarm services."""

import asyncio
import html
from collections.abc import AsyncIterator, Mapping
from typing import Any

from docker.errors import APIError
from docker.types import Mount
from dockerspawner import SwarmSpawner
from jupyterhub.utils import maybe_future, url_escape_path, url_path_join
from tornado.ioloop import IOLoop
from traitlets import Any as AnyTrait
from traitlets import List

from notehive import naming
from notehive.gate.headers import GATE_SCOPE
from notehive.hub import (
    culling,
    ending,
    keeper,
    packages,
    probe,
    room,
    service,
    sizes,
    stopping,
    storage,
    tokens,
    tracking,
)
from notehive.hub.choosing import ChoosingSpawner
from notehive.hub.config import HubConfig
from notehive.hub.engine import Engine
from notehive.hub.refusal import refusal
from notehive.hub.released import offered
from notehive.hub.rights import groups_of, rights_of
from notehive.hub.said import Said
from notehive.hub.starting import Start
from notehive.hub.tasks import Task, current
from notehive.hub.watch import Watch, shared

SECRET_VARIABLES = ("JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN")


class NotehiveSpawner(ChoosingSpawner, SwarmSpawner):
    """SwarmSpawner that reacts instead of sleeping, tells what it waits for, and cleans up.

    The names of dockerspawner's options mean what they mean there. What an operator sets
    with them wins over what the size says.
    """

    user_options: dict[str, Any]
    platform: HubConfig = AnyTrait(help="What the hub was told.").tag(config=True)
    mounts = List(help="More mounts, as dictionaries of docker.types.Mount's arguments.").tag(
        config=True
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.watch: Watch = shared(self.platform.stack)
        self.said = Said()
        self.need: room.Need  # of the service that was asked for last
        self.ended = ""  # why it ended, in words for its user
        limits = ("cpu_limit", "mem_limit", "cpu_guarantee", "mem_guarantee")
        self._own = {name: getattr(self, name) for name in limits if self.trait_has_value(name)}

    @property
    def engine(self) -> Engine:
        """The engine of all spawners."""
        return self.watch.engine

    @property
    def client(self) -> Any:
        """docker-py's client, for what dockerspawner itself asks."""
        return self.engine.client

    def docker(self, method: str, *args: Any, **options: Any) -> Any:
        """Call a method of docker-py's client; dockerspawner has one thread for all of it."""
        return self.engine.call(method, *args, **options)

    # What the user may have

    @property
    def groups(self) -> set[str]:
        """Groups of the user."""
        return groups_of(self.user)

    async def form(self) -> str:
        """The spawn form for this user, below why the last server ended, and a too full home."""
        try:
            warning = await storage.warning(self.platform, self.user.name, self.groups)
        except keeper.KeeperError as error:
            warning = str(error)
        last = f"Your last server ended. {self.ended}" if self.ended else ""
        alerts = [
            f'<p class="alert alert-warning nh-reason" role="alert">{html.escape(words)}</p>\n'
            for words in (last, warning)
            if words
        ]
        return "".join(alerts) + await super().form()

    def apply_choice(self) -> None:
        """Check the user's options and set image and limits by them, or as the operator says."""
        super().apply_choice()
        for name, value in self._own.items():
            setattr(self, name, value)
        self.cpu_guarantee = min(self.cpu_guarantee, self.cpu_limit)
        self.mem_guarantee = min(self.mem_guarantee, self.mem_limit)

    async def prepare_storage(self) -> None:
        """Have the home and the shared folders made; refuse a large server for a full home."""
        may = rights_of(self.platform, self.user).sizes
        size = self.user_options["size"]
        try:
            await storage.prepare(self.platform, self.user.name, self.groups, may, size)
        except storage.OverQuotaError as error:
            raise refusal(400, str(error)) from None
        except keeper.KeeperError as error:
            raise refusal(503, str(error)) from None

    # What the engine is asked for

    def _object_name_default(self) -> str:
        return naming.server_service(self.platform.stack, self.user.name, self.name)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of all that belongs to this server."""
        return {
            "notehive.stack": self.platform.stack,
            "notehive.kind": "server",
            "notehive.user": self.user.name,
            "notehive.server": self.name,
            "notehive.image": self.user_options.get("image", ""),
            "notehive.size": self.user_options.get("size", ""),
        }

    def all_mounts(self) -> list[Mount]:
        """Home, shared folders, shared memory, and what the operator adds.

        A volume of the operator's that is no path is a volume, no bind.
        """
        ours = storage.mounts(self.platform, self.user.name, self.groups)
        shm = service.shared_memory(self.mem_limit)
        more = [
            Mount(
                target=bind["bind"],
                source=source,
                type="bind" if source.startswith("/") else "volume",
                read_only=bind["mode"] == "ro",
                driver_config=None if source.startswith("/") else self.mount_driver_config,
            )
            for source, bind in self.volume_binds.items()
        ]
        return [*ours, shm, *more, *self.mount_binds]

    def service_env(self) -> dict[str, str]:
        """The server's environment without its tokens: whoever lists services reads this.

        What the operator's ``environment`` says wins, as in JupyterHub's own part of it.
        """
        env = {"NOTEHIVE_URL": self.platform.url}
        if self.platform.services.mlflow:
            env |= tracking.server_env(self.platform, self.groups)
        env |= packages.server_env(self.platform)
        may = rights_of(self.platform, self.user).sizes
        env |= sizes.server_env(self.platform, may, self.user_options["size"])
        env |= culling.server_env(self.platform.culling)
        env |= self.get_env()
        return {key: value for key, value in env.items() if key not in SECRET_VARIABLES}

    async def create_object(self) -> Mapping[str, Any]:
        """Create the service, with the server's token as a Swarm secret; give what has its ID."""
        secret = await tokens.create(self.engine, self.object_name, self.api_token, self.labels)
        create = await maybe_future(self._eval_if_callable(self.extra_create_kwargs))
        request = service.build(
            name=self.object_name,
            image=self.image,
            args=await self.get_command(),
            env=self.service_env(),
            labels=self.labels,
            mounts=self.all_mounts(),
            secrets=[secret],
            configs=service.certificates(self.platform.trusted),
            amounts=self.amounts,
            network=self.network_name,
            constraints=self.platform.constraints,
            extra=service.Extra(
                container=self.extra_container_spec,
                resources=self.extra_resources_spec,
                placement=self.extra_placement_spec,
                task=self.extra_task_spec,
                endpoint=self.extra_endpoint_spec,
                create=self._render_templates(create),
            ),
        )
        self.need = room.Need.of(request["task_template"])
        making = asyncio.ensure_future(self.engine.call("create_service", **request))
        try:
            created: Mapping[str, Any] = await asyncio.shield(making)
        except asyncio.CancelledError:
            await asyncio.wait([making])  # so that what follows finds it, and removes it
            raise
        return created

    @property
    def amounts(self) -> service.Amounts:
        """What the server may use, and what is kept for it."""
        size = self.platform.sizes[self.user_options["size"]]
        return service.Amounts(
            cpu=self.cpu_limit,
            memory=self.mem_limit,
            pids=size.pids,
            reserved_cpu=self.cpu_guarantee,
            reserved_memory=self.mem_guarantee,
            generic=size.generic_resources,
        )

    async def check_allowed(self, image: str) -> str:
        """Give what Docker is to run for an image's key, which `apply_choice` has judged."""
        found = offered(self.platform).images.get(image)
        if found is None:
            raise refusal(409, f"The image {image} has just been removed; choose another.")
        return found.reference

    # Start

    async def start(self) -> tuple[str, int]:
        """Create the service; give the address of its task once JupyterLab answers there.

        Raises HTTPError with the reason in words as soon as it is known that it cannot be.
        """
        self.ended, self.said = "", Said()
        try:
            self.said.say(5, "Preparing")
            self.image = await self.check_allowed(self.user_options["image"])
            # An earlier server of this name, stopped a moment ago, may still use the home.
            _, gone, _ = await asyncio.gather(
                self.remove_object(),
                stopping.gone(self.watch, self.object_name),
                self.prepare_storage(),
            )
            if not gone:
                self.log.warning("%s: the task of an earlier server still ends", self.object_name)
            self.object_id = (await self.create_object())["ID"]
            start = self._start()
            task = await start.placed()
            host = self._address(task)
            await start.answered(self._url(task), host, self.port, self.http_timeout)
            return host, self.port
        except (APIError, OSError) as error:
            self.log.exception("The engine failed a start")
            raise refusal(503, f"The Docker engine did not do it: {error}") from error
        finally:
            self.said.end()

    def _start(self) -> Start:
        return Start(
            watch=self.watch,
            said=self.said,
            name=self.object_name,
            service=self.object_id,
            image=self.user_options["image"],
            network=self.network_name,
            need=self.need,
        )

    async def progress(self) -> AsyncIterator[Any]:
        """Give what the start says, for the spawn page and the REST API."""
        async for event in self.said.hear():
            yield event

    def _address(self, task: Task) -> str:
        """The address of the task itself: the service's name may still mean an earlier one."""
        if self.network_name not in task.addresses:
            raise refusal(500, f"The server has no address on the network {self.network_name}.")
        return task.addresses[self.network_name]

    def _url(self, task: Task) -> str:
        return f"http://{self._address(task)}:{self.port}{self.server.base_url}"

    # While it runs

    async def poll(self) -> int | str | None:
        """None while the server runs or starts; else how it ended, 0 for in good order."""
        if not self.object_id:
            return 0  # it never was, or the hub was ended before it knew
        try:
            task = current(await self.watch.tasks(self.object_id))
            nodes = await self.engine.nodes() if task is None or not task.running else {}
        except (APIError, OSError) as error:
            # The hub would take an exception for the end of the server, and remove it.
            self.log.warning(
                "%s: the engine does not say whether it runs: %s", self._log_name, error
            )
            return None
        if task is not None and task.running:
            self._keep_address(task)
            return None
        if task is not None and task.starting:
            return None
        self.ended = ending.words(task, nodes, self._memory_words())
        return self.ended or 0

    def _memory_words(self) -> ending.Memory | None:
        """What to say of memory; nothing if the size is no longer in the settings."""
        size = (self.user_options or {}).get("size")
        if size not in self.platform.sizes:
            return None
        more = sizes.larger(self.platform, rights_of(self.platform, self.user).sizes, size)
        return ending.Memory(
            self.platform.sizes[size].limit.memory,
            [self.platform.sizes[key].title or key for key in more],
        )

    def _keep_address(self, task: Task) -> None:
        """Follow a task that an operator's `docker service update` has moved.

        The hub compares the proxy's routes with this address, and mends them.
        """
        address = task.addresses.get(self.network_name)
        if address and self.server and self.server.ip not in ("", address):
            self.log.warning("%s moved to %s", self._log_name, address)
            self.server.ip = address

    # Stop

    async def stop(self, now: bool = False) -> None:
        """End the server in good order, remove its service, and wait until its task is gone."""
        self.ended = ""
        task = current(await self.watch.tasks(self.object_id))
        # Asked first: its node would let two seconds pass before it told the server to end.
        if task and task.running and not now and await self._shut_down(task):
            await stopping.gone(self.watch, self.object_name)
        await self.remove_object()
        if not await stopping.gone(self.watch, self.object_name):
            self.log.warning("%s: its task still ends", self.object_name)

    async def _shut_down(self, task: Task) -> bool:
        # A hub that has been restarted knows only a digest of the server's own token.
        scope = f"access:servers!server={self.user.name}/{self.name}"
        token = self.api_token or self.user.new_api_token(
            note="To stop a server", expires_in=60, scopes=[scope]
        )
        return await probe.shut_down(self._url(task), token)

    def _revoke_tokens(self) -> None:
        """Revoke what JupyterHub does not find after a restart: the server's own token."""
        path = url_path_join(self.user.base_url, url_escape_path(self.name), "/")
        for token in list(self.user.orm_user.api_tokens):
            if token.note == f"Server at {path}":
                self.user.db.delete(token)
        self.user.db.commit()

    async def remove_object(self) -> None:
        """Remove the service and its tokens; both may be gone already."""
        await self.engine.discard("service", self.object_name)
        # One that a task still uses is left to the sweep.
        stack, user = f"notehive.stack={self.platform.stack}", f"notehive.user={self.user.name}"
        await tokens.discard(self.engine, stack, user, f"notehive.server={self.name}")

    async def run_post_stop_hook(self) -> None:
        """Remove what is left of a server that ended by itself: then the hub calls no `stop`."""
        self._revoke_tokens()
        await self.remove_object()
        IOLoop.current().spawn_callback(storage.measure, self.user.name)
        await maybe_future(super().run_post_stop_hook())

    # What the hub's database keeps

    def get_state(self) -> dict[str, Any]:
        """Give the service's id and name, and why it ended: the pages tell its user."""
        return {**super().get_state(), **({"ended": self.ended} if self.ended else {})}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take what `get_state` gave."""
        super().load_state(state)
        self.ended = state.get("ended", "")

    def clear_state(self) -> None:
        """Forget the service, but not why it ended."""
        super().clear_state()
        self.object_id, self.said = "", Said()


def update_spawner(c: Any, config: HubConfig) -> None:
    """Set how users' servers are started."""
    c.JupyterHub.spawner_class = NotehiveSpawner
    c.NotehiveSpawner.platform = config
    spawner = c.Spawner
    spawner.cmd = ["start-notebook"]  # in notebooks-images/base
    spawner.default_url = "/lab"
    spawner.start_timeout = 300  # for an image that a node has to pull
    spawner.poll_interval = 5  # seconds until a server that ended by itself is noticed
    spawner.http_timeout = 60
    # The server's token also opens the pages behind the gate, as its user: MLflow from a notebook.
    spawner.server_token_scopes = [
        "users:activity!user",
        "access:servers!server",
        GATE_SCOPE,
    ]
    c.DockerSpawner.network_name = f"{config.stack}_users"
    c.DockerSpawner.use_internal_ip = True
