"""The directories of runs, as the keeper of the storage makes and reads them."""

from dataclasses import asdict
from typing import Any

from aiohttp import ClientSession, ClientTimeout

from notehive.jobs.service import Begun

URL = "http://storage:8091"
TIMEOUT = ClientTimeout(total=30)


class RunsError(Exception):
    """The keeper does not do its part; says so in a sentence."""


class Runs:
    """The keeper's client for them."""

    def __init__(self, session: ClientSession, token: str, url: str = URL) -> None:
        self._session, self._token, self._url = session, token, url

    async def begin(self, directory: str, release: Begun) -> Begun:
        """Make a run's directory unless it is there; give what its run was begun with.

        That is what the first of its steps gave, whatever has been published since.
        """
        return Begun(**await self._ask("PUT", directory, json=asdict(release)))

    async def told(self, directory: str, step: str) -> dict[str, Any]:
        """Give what a step has told those who come after it; nothing if it told nothing."""
        told: dict[str, Any] = await self._ask("GET", f"{directory}/told/{step}")
        return told

    async def _ask(self, method: str, path: str, **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._session.request(
            method, f"{self._url}/{path}", headers=headers, timeout=TIMEOUT, **body
        ) as answer:
            if answer.status in (500, 502, 503):
                answer.raise_for_status()
            said = await answer.json()
            if answer.status >= 300:
                raise RunsError(
                    f"The storage does not keep the directory of this run: {said['message']}. "
                    "An administrator sees why with `./notehive logs storage`."
                )
            return said
