"""What the platform asks of Jenkins: a job for each repository, and releases.

Jenkins believes whoever is on its network about who asks; here it is an administrator, whose name
is in the causes of builds.
"""

import json
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from notehive.gate.headers import USER

URL = "http://jenkins:8080/jenkins"
TIMEOUT = aiohttp.ClientTimeout(total=120, sock_connect=5)  # making jobs takes a while
REPOSITORIES = Path("/srv/jenkins/repositories.json")  # where jenkins/jobs.groovy looks
ADMINISTRATOR = {USER: "notehive", "X-Notehive-Groups": "admin=yes"}


class NoJobError(LookupError):
    """Jenkins has no job or build of this name, or none any more."""


class State(NamedTuple):
    """How far a release is. ``result`` is empty until it ends."""

    place: str  # where to ask the next time; of a build, its page below Jenkins' address
    result: str  # SUCCESS, FAILURE, ABORTED, NOT_BUILT; UNSTABLE is of no stage of ours


class Jenkins:
    """Asks Jenkins, with a session of its own; to be closed. The ``file`` is what it reads."""

    def __init__(self, url: str = URL, file: Path = REPOSITORIES) -> None:
        self.url, self.file = url, file
        # Crumbs, which it wants with what changes something, belong to a session.
        jar = aiohttp.CookieJar(unsafe=True)
        self._session = aiohttp.ClientSession(
            headers=ADMINISTRATOR, cookie_jar=jar, timeout=TIMEOUT
        )

    async def close(self) -> None:
        """End the session."""
        await self._session.close()

    async def make_jobs(self, repositories: Iterable[tuple[str, str]]) -> None:
        """Let these repositories (group, name) have their jobs; others keep what they have had."""
        listed = [{"group": group, "name": name} for group, name in repositories]
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(listed), encoding="utf-8")
        new.replace(self.file)  # Jenkins reads the old list or this one
        await self._post("configuration-as-code/reload")

    async def release(self, group: str, name: str, commit: str, pusher: str) -> str:
        """Ask for the release of a commit; give what `state` takes. Raises NoJobError."""
        wanted = {"COMMIT": commit, "PUSHER": pusher}
        answer = await self._post(f"job/{group}/job/{name}/buildWithParameters", wanted)
        return below(answer.headers["Location"])

    async def state(self, place: str) -> State:
        """Give the state of a release: ``place`` is what `release` gave, or the state before."""
        if not place.startswith("queue/"):
            told = await self._get(place, "result,building")
            return State(place, "" if told["building"] else told["result"])
        waiting = await self._get(place, "cancelled,executable[url]")
        if waiting.get("cancelled"):
            return State(place, "ABORTED")
        begun = waiting.get("executable")
        return State(below(begun["url"]) if begun else place, "")

    async def _get(self, path: str, tree: str) -> Any:
        answer = await self._session.get(f"{self.url}/{path}/api/json", params={"tree": tree})
        async with answer:
            check(answer)
            return await answer.json()

    async def _post(self, path: str, form: dict[str, str] | None = None) -> aiohttp.ClientResponse:
        crumb = await self._get("crumbIssuer", "crumbRequestField,crumb")
        answer = await self._session.post(
            f"{self.url}/{path}",
            data=form or {},
            headers={crumb["crumbRequestField"]: crumb["crumb"]},
            allow_redirects=False,  # to a page that nobody here reads
        )
        async with answer:
            check(answer)
            return answer


def check(answer: aiohttp.ClientResponse) -> None:
    """Raise NoJobError or ClientError if an answer is none."""
    if answer.status == HTTPStatus.NOT_FOUND:
        raise NoJobError(answer.url.path)
    answer.raise_for_status()


def below(url: str) -> str:
    """Give the part of an address that is below Jenkins'."""
    return url.partition("/jenkins/")[2].rstrip("/")
