"""Users' servers as Swarm services."""

import asyncio
import hashlib
import time
from collections.abc import Mapping
from typing import Any

from docker.errors import APIError, NotFound
from docker.types import (
    ContainerSpec,
    DriverConfig,
    EndpointSpec,
    Mount,
    NetworkAttachmentConfig,
    Placement,
    Resources,
    RestartPolicy,
    SecretReference,
    TaskTemplate,
)
from dockerspawner import SwarmSpawner
from jupyterhub.utils import maybe_future
from traitlets import Any as AnyTrait

from notehive import naming
from notehive.hub.choosing import ChoosingSpawner, refusal
from notehive.hub.config import HubConfig
from notehive.hub.core import GATE_SCOPE

TOKEN_FILE = "jupyterhub-token"  # noqa: S105 - the name of a file below /run/secrets
HOME = "/home/jovyan"
USER_ID, GROUP_ID = "1000", "100"  # of jovyan, in notebooks-images/base
PIDS = 4096  # processes and threads of one server; a fork bomb ends there
PATIENCE_SECONDS = 15  # with a task that no node has room for; others may be about to leave
STARTING = {"new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting"}
SECRET_VARIABLES = ("JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN")


class NotehiveSpawner(ChoosingSpawner, SwarmSpawner):
    """SwarmSpawner that takes an image and a size, and keeps tokens out of the service."""

    user_options: dict[str, Any]
    platform: HubConfig = AnyTrait(help="What the hub was told.").tag(config=True)

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

    @property
    def mounts(self) -> list[Mount]:
        """The home, and shared memory of half the limit (Swarm ignores shm_size)."""
        home = Mount(
            target=HOME,
            source=naming.home_volume(self.platform.stack, self.user.name),
            type="volume",
            labels={
                "notehive.stack": self.platform.stack,
                "notehive.kind": "home",
                "notehive.user": self.user.name,
            },
        )
        shm = Mount(target="/dev/shm", source=None, type="tmpfs", tmpfs_size=self.mem_limit // 2)  # noqa: S108
        return [home, shm]

    def service_env(self) -> dict[str, str]:
        """The server's environment without its tokens: whoever lists services reads this."""
        env = {key: value for key, value in self.get_env().items() if key not in SECRET_VARIABLES}
        if self.platform.services.mlflow:
            env["MLFLOW_TRACKING_URI"] = f"{self.platform.url}/mlflow"
        if self.platform.pip_index_url:
            env["PIP_INDEX_URL"] = self.platform.pip_index_url
        return env

    async def create_object(self) -> Mapping[str, Any]:
        """Create the service, with the server's token as a Swarm secret."""
        await self._remove_secrets()
        resources = Resources(
            cpu_limit=int(self.cpu_limit * 1e9),
            cpu_reservation=int(self.cpu_guarantee * 1e9),
            mem_limit=self.mem_limit,
            mem_reservation=self.mem_guarantee,
            **self.extra_resources_spec,
        )
        resources["Limits"]["Pids"] = PIDS  # docker-py has no argument for it
        container = ContainerSpec(
            image=self.image,
            args=await self.get_command(),
            env=dict(self.service_env()),
            mounts=self.mounts,
            labels=self.labels,
            init=True,
            secrets=[await self._create_secret()],
            cap_drop=["ALL"],
            **self.extra_container_spec,
        )
        task = TaskTemplate(
            container_spec=container,
            resources=resources,
            networks=[NetworkAttachmentConfig(self.network_name)],
            placement=Placement(constraints=self.platform.constraints, **self.extra_placement_spec),
            # A user's own "Shut Down" and a crash both end the server; the hub says so.
            restart_policy=RestartPolicy(condition="none"),
            log_driver=DriverConfig("json-file", {"max-size": "10m", "max-file": "3"}),
            **self.extra_task_spec,
        )
        service = await self.docker(
            "create_service",
            task_template=task,
            name=self.service_name,
            labels=self.labels,
            endpoint_spec=EndpointSpec(mode="dnsrr", **self.extra_endpoint_spec),
            **self.extra_create_kwargs,
        )
        return dict(service)

    async def check_allowed(self, image: str) -> str:
        """Give what Docker is to run for a key of ``images:``, which `apply_choice` has judged."""
        return self.platform.images[image].reference

    async def start_object(self) -> None:
        """Wait until the task runs; raise with the Swarm's own words if it cannot."""
        patience = time.monotonic() + PATIENCE_SECONDS
        while True:
            task = await self.get_task()
            if task is None and await self.get_object() is None:
                raise refusal(500, "The server's service was removed while it started.")
            status = task["Status"] if task else {"State": "new"}
            state, error = status["State"], status.get("Err", "")
            if state == "running":
                return
            if state not in STARTING:
                raise refusal(500, f"The server is {state}: {error or status}")
            if state == "pending" and error and time.monotonic() > patience:
                raise refusal(503, f"There is no room for a server of this size now: {error}")
            await asyncio.sleep(0.1)

    async def poll(self) -> int | str | None:
        """None while the server runs or starts; else how it ended."""
        task = await self.get_task()
        if task is None:
            return 0
        status = task["Status"]
        if status["State"] in STARTING or status["State"] == "running":
            return None
        code = status.get("ContainerStatus", {}).get("ExitCode", 1)
        return code if code == 0 else f"{status['State']}: {status.get('Err', '')}"

    async def get_ip_and_port(self) -> tuple[str, int]:
        """The address of the task itself: the service's name may still mean an earlier one."""
        task = await self.get_task()
        for attachment in task.get("NetworksAttachments") or [] if task else []:
            if attachment["Network"]["Spec"]["Name"] == self.network_name:
                return attachment["Addresses"][0].split("/")[0], self.port
        raise RuntimeError(f"{self.service_name} has no address on {self.network_name}")

    async def run_post_stop_hook(self) -> None:
        """Remove what is left of a server that ended by itself: then the hub calls no `stop`."""
        if await self.get_object() is not None:
            await self.remove_object()
        else:
            await self._remove_secrets()
        await maybe_future(super().run_post_stop_hook())

    async def remove_object(self) -> None:
        """Remove the service and its token."""
        await super().remove_object()
        await self._remove_secrets()

    async def _create_secret(self) -> SecretReference:
        digest = hashlib.sha256(self.api_token.encode()).hexdigest()[:8]
        name = f"{self.service_name[:50]}-{digest}"
        secret = await self.docker(
            "create_secret",
            name,
            self.api_token.encode(),
            {**self.labels, "notehive.kind": "token"},
        )
        return SecretReference(
            secret["ID"], name, filename=TOKEN_FILE, uid=USER_ID, gid=GROUP_ID, mode=0o400
        )

    async def _remove_secrets(self) -> None:
        """Remove what is left of this server's tokens; one that a task still uses stays for now."""
        labels = (
            f"notehive.stack={self.platform.stack}",
            "notehive.kind=token",
            f"notehive.user={self.user.name}",
            f"notehive.server={self.name}",
        )
        for secret in await self.docker("secrets", filters={"label": list(labels)}):
            try:
                await self.docker("remove_secret", secret["ID"])
            except NotFound:
                pass
            except APIError as error:
                self.log.warning("secret %s stays: %s", secret["Spec"]["Name"], error)


def update_spawner(c: Any, config: HubConfig) -> None:
    """Set how users' servers are started."""
    c.JupyterHub.spawner_class = NotehiveSpawner
    c.NotehiveSpawner.platform = config
    spawner = c.Spawner
    spawner.cmd = ["start-notebook"]  # in notebooks-images/base
    spawner.default_url = "/lab"
    spawner.start_timeout = 120
    spawner.poll_interval = 10  # seconds until a server that ended by itself is noticed
    spawner.http_timeout = 60
    # The server's token also opens the pages behind the gate, as its user: MLflow from a notebook.
    spawner.server_token_scopes = [
        "users:activity!user",
        "access:servers!server",
        GATE_SCOPE,
    ]
    c.DockerSpawner.network_name = f"{config.stack}_users"
    c.DockerSpawner.use_internal_ip = True
