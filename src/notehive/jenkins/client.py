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
REPOSITORIES = Path("/srv/jenkins/repositories.json")  # where jenkins/jobs.groovy looks
ADMINISTRATOR = {USER: "notehive", "X-Notehive-Groups": "admin=yes"}


class NoJobError(LookupError):
    """Jenkins has no job for this repository, or none any more."""


class Build(NamedTuple):
    """A release that was asked for. ``page`` is empty until it begins, ``result`` until it ends."""

    page: str  # below the site's address: jenkins/job/...
    result: str  # SUCCESS, FAILURE, ABORTED, NOT_BUILT; UNSTABLE is of no stage of ours


class Jenkins:
    """Asks Jenkins, with a session of its own; to be closed."""

    def __init__(self, url: str = URL) -> None:
        self.url = url
        # Crumbs, which it wants with what changes something, belong to a session.
        jar = aiohttp.CookieJar(unsafe=True)
        self._session = aiohttp.ClientSession(headers=ADMINISTRATOR, cookie_jar=jar)

    async def close(self) -> None:
        """End the session."""
        await self._session.close()

    async def make_jobs(
        self, repositories: Iterable[tuple[str, str]], file: Path = REPOSITORIES
    ) -> None:
        """Let these repositories (group, name) have their jobs; others keep what they have had."""
        listed = [{"group": group, "name": name} for group, name in repositories]
        new = file.with_suffix(".new")
        new.write_text(json.dumps(listed), encoding="utf-8")
        new.replace(file)  # Jenkins reads the old list or this one
        await self._post("configuration-as-code/reload")

    async def release(self, group: str, name: str, commit: str, pusher: str) -> str:
        """Ask for the release of a commit; give what `build` takes. Raises NoJobError."""
        wanted = {"COMMIT": commit, "PUSHER": pusher}
        answer = await self._post(f"job/{group}/job/{name}/buildWithParameters", wanted)
        return answer.headers["Location"].partition("/jenkins/")[2].strip("/")

    async def build(self, item: str) -> Build:
        """Give the state of a release: ``item`` is what `release` gave, for 5 minutes."""
        waiting = await self._get(item, "cancelled,executable[url]")
        if waiting.get("cancelled"):
            return Build("", "ABORTED")
        if not (begun := waiting.get("executable")):
            return Build("", "")
        return await self.page(begun["url"].partition("/jenkins/")[2])

    async def page(self, path: str) -> Build:
        """Give the state of the build whose page this is, below Jenkins' address."""
        told = await self._get(path.strip("/"), "result,building")
        return Build(f"jenkins/{path}", "" if told["building"] else told["result"])

    async def _get(self, path: str, tree: str) -> Any:
        answer = await self._session.get(f"{self.url}/{path}/api/json", params={"tree": tree})
        async with answer:
            answer.raise_for_status()
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
            if answer.status == HTTPStatus.NOT_FOUND:
                raise NoJobError(path)
            answer.raise_for_status()
            return answer
