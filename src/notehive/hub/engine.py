"""The Docker engine that the hub speaks to, through the guard."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.utils import kwargs_from_env

THREADS = 10  # calls at once; the engine answers most within 5 ms


class Engine:
    """docker-py's client in threads, so that a slow call of one user delays no other."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="docker")

    @cached_property
    def client(self) -> docker.APIClient:
        """The client, by DOCKER_HOST and its like, or of the local socket.

        Raises OSError where nobody answers, like every later call; docker-py has another error
        for the first one.
        """
        try:
            return docker.APIClient(version="auto", max_pool_size=THREADS, **kwargs_from_env())
        except DockerException as error:
            raise ConnectionError(str(error)) from error

    async def call(self, method: str, *args: Any, **options: Any) -> Any:
        """Call a method of the client; give its answer. Raises what docker-py raises."""
        run = asyncio.get_running_loop().run_in_executor
        return await run(self._pool, lambda: getattr(self.client, method)(*args, **options))

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
