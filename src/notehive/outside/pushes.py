"""Pushes outside: each is fetched, and the API told of it, as git's hook tells of one here."""

import asyncio
import logging
from collections import defaultdict

from aiohttp import ClientError, ClientSession, ClientTimeout

from notehive.api import records
from notehive.api.pushes import FILE as PUSHES
from notehive.errors import NotehiveError
from notehive.git.hook import API
from notehive.git.housekeeping import Housekeeping
from notehive.git.repositories import Repository
from notehive.outside.mirror import NONE, OURS, Mirror

FILE = "notehive-deliveries.jsonl"  # in the repository: those that have been taken in
TIMEOUT = ClientTimeout(total=None, sock_connect=5)
PAUSES = (0.0, 1.0, 3.0)  # seconds before each time that a commit is looked for
TRIES, PAUSE = 150, 2.0  # to tell the API, which may start just now; and seconds

log = logging.getLogger(__name__)


class KnownError(NotehiveError):
    """A delivery has been taken in before."""


class Pushes:
    """Takes them in, those of a model one after the other."""

    def __init__(
        self,
        mirror: Mirror,
        push_token: str,
        keeping: Housekeeping,
        api: str = f"http://{API[0]}:{API[1]}",
    ) -> None:
        self.mirror, self.push_token, self.keeping = mirror, push_token, keeping
        self.api = api
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._telling: set[asyncio.Task[None]] = set()
        self._told: dict[str, str] = {}  # the commit of each that the API is being told of, or was

    async def catch_up(self) -> None:
        """Fetch all that was pushed while nobody listened."""
        for model in self.mirror.config.repositories:
            try:
                await self.take(model, self.mirror.config.server)
            except (NotehiveError, OSError) as error:
                log.warning("%s", error)

    async def take(self, model: str, user: str, commit: str = "", mark: str = "") -> str:
        """Fetch a model; give the commit that it has now. The API is told of it behind this.

        ``commit`` and ``mark`` are of the delivery that tells of a push. Raises KnownError if that
        was taken in before, NotehiveError if the model, or the commit, cannot be fetched.
        """
        async with self._turns[model]:
            repository = await asyncio.to_thread(self.mirror.made, model)
            file = repository.path / FILE
            if mark and mark in [each["mark"] for each in records.read(file)]:
                raise KnownError(f"{model}: this delivery has been taken in before")
            new, there = await self._fetch(model, commit)
            log.info("%s: fetched %s for %s", model, new, user)
            old = self._told.get(model) or last_told(repository)
            if new != old:
                self._told[model] = new
                self.keeping.want(repository.path)
                update = {"ref": OURS, "old": old, "new": new}
                self._begin(model, {"repository": model, "user": user, "updates": [update]})
            if not there:
                raise NotehiveError(f"{model}: {commit} is not there; send the webhook again")
            if mark:  # only now: one that fails may come again
                records.add(file, mark=mark, commit=commit)
        return new

    async def _fetch(self, model: str, commit: str) -> tuple[str, bool]:
        """Fetch a model; give its commit, and whether the one that is looked for has come.

        A large server may not have it everywhere at once.
        """
        new, there = NONE, False
        for pause in PAUSES:
            await asyncio.sleep(pause)
            new = await self.mirror.fetch(model)
            there = not commit or await self.mirror.has(model, commit)
            if there:
                break
        return new, there

    def _begin(self, model: str, push: object) -> None:
        telling = asyncio.create_task(self._tell(model, push))
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    async def _tell(self, model: str, push: object) -> None:
        """Tell the API of a push, and follow what comes of it to its end."""
        headers = {"Authorization": f"Bearer {self.push_token}"}
        last = ""
        for _ in range(TRIES):
            try:
                async with (
                    ClientSession(timeout=TIMEOUT) as session,
                    session.post(f"{self.api}/pushes", json=push, headers=headers) as answer,
                ):
                    answer.raise_for_status()
                    async for line in answer.content:
                        last = line.decode(errors="replace").strip()
                    log.info("%s: %s", model, last)
                    return
            except (ClientError, OSError) as error:
                if last:  # it knows of the push, and goes on with it
                    log.info("%s: the API ended before it was done: %r", model, error)
                    return
                log.warning("%s: the API does not hear of a push yet: %s", model, error)
            await asyncio.sleep(PAUSE)
        self._told.pop(model, None)
        log.error("%s: nobody has released what was pushed; `notehive model release` does", model)


def last_told(repository: Repository) -> str:
    """Give the commit of the last push that the API has heard of; zeros for none.

    Not the one that was there before a fetch: of that it need not have heard.
    """
    for push in reversed(records.read(repository.path / PUSHES)):
        for update in push["updates"]:
            if update["ref"] == OURS:
                return str(update["new"])
    return NONE
