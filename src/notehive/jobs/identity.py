"""The identity of a job: a token of the hub, which lets it do what its group may, while it runs.

The hub knows `job:G` as a user who is in the group G alone, and with whose name nobody can log in.
"""

from typing import Any
from urllib.parse import quote

from aiohttp import ClientSession, ClientTimeout

from notehive import usernames
from notehive.gate.headers import GATE_SCOPE

URL = "http://hub:8081/hub/api"
TIMEOUT = ClientTimeout(total=30)
# The longest that a token is good if nobody revokes it, like after the loss of a machine.
LONGEST_SECONDS = 7 * 24 * 3600


class IdentityError(Exception):
    """The hub gives no token; says so in a sentence."""


class Identities:
    """Makes and revokes tokens of jobs, by the platform's own token for just that."""

    def __init__(self, session: ClientSession, token: str, url: str = URL) -> None:
        self._session, self._token, self._url = session, token, url

    async def issue(self, group: str, job: str) -> str:
        """Give a new token for a job, by the name of its service."""
        asked = {"note": _note(job), "expires_in": LONGEST_SECONDS, "scopes": [GATE_SCOPE]}
        made = await self._ask("POST", group, json=asked)
        return str(made["token"])

    async def revoke(self, group: str, job: str) -> None:
        """Revoke the tokens of a job; there may be none."""
        told = await self._ask("GET", group)
        for token in told["api_tokens"]:
            if token["note"].startswith(_note(job)):  # the hub adds who asked for it
                await self._ask("DELETE", group, f"/{token['id']}")

    async def _ask(self, method: str, group: str, path: str = "", **body: Any) -> Any:
        user = quote(usernames.job_identity(group), safe="")
        headers = {"Authorization": f"token {self._token}"}
        async with self._session.request(
            method,
            f"{self._url}/users/{user}/tokens{path}",
            headers=headers,
            timeout=TIMEOUT,
            **body,
        ) as answer:
            if answer.status == 204 or (method == "DELETE" and answer.status == 404):
                return None
            if answer.status >= 500:
                answer.raise_for_status()
            if answer.status >= 300:
                raise IdentityError(
                    f"The hub does not know the jobs of the group {group} ({answer.status}): "
                    "`./notehive up` makes them known, if settings.yml has that group."
                )
            return await answer.json()


def _note(job: str) -> str:
    return f"Job {job}"
