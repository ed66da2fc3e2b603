"""The Docker engine that the hub speaks to, through the guard."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.utils import kwargs_from_env
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

THREADS = 10  # calls at once; the engine answers most within 5 ms
# For a guard that is started again, like with a change of the settings. The Swarm takes ten of
# them: it waits before a restart, and tells nobody the address of what is not yet healthy.
ABSENT_SECONDS = 30
RETRY_SECONDS = 0.2


def unsent(error: requests.ConnectionError) -> bool:
    """Say whether a call failed before anything of it was sent, so that it can be made again."""
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    return isinstance(reason, ConnectTimeoutError | NewConnectionError)


class Engine:
    """docker-py's client in threads, so that a slow call of one user delays no other."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="docker")

    @cached_property
    def client(self) -> docker.APIClient:
        """The client, by DOCKER_HOST and its like, or of the local socket.

        Where nobody answers, it raises what a later call does, and not docker-py's own error for
        the first one: whoever waits for the state of a server would take that for its end.
        """
        try:
            return docker.APIClient(version="auto", max_pool_size=THREADS, **kwargs_from_env())
        except DockerException as error:
            raise (error.__cause__ or error) from None

    async def call(self, method: str, *args: Any, **options: Any) -> Any:
        """Call a method of the client; give its answer. Raises what docker-py raises."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        while True:
            try:
                return await loop.run_in_executor(
                    self._pool, lambda: getattr(self.client, method)(*args, **options)
                )
            except requests.ConnectionError as error:
                if not unsent(error) or loop.time() - asked > ABSENT_SECONDS:
                    raise
            await asyncio.sleep(RETRY_SECONDS)

    async def find(self, kind: str, name: str) -> dict[str, Any] | None:
        """Inspect an object by kind (``service``) and name or id; None if there is none."""
        try:
            found: dict[str, Any] = await self.call(f"inspect_{kind}", name)
        except NotFound:
            return None
        return found

    async def discard(self, kind: str, name: str) -> bool:
        """Remove an object if it is there; say whether it was."""
        try:
            await self.call(f"remove_{kind}", name)
        except APIError as error:
            # The Swarm's own "not found" comes with other codes than 404 too.
            if isinstance(error, NotFound) or "not found" in str(error):
                return False
            raise
        return True

    async def nodes(self) -> dict[str, dict[str, Any]]:
        """Give every node of the Swarm by its id, as the engine describes it."""
        return {node["ID"]: node for node in await self.call("nodes")}
