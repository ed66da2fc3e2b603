"""Tables of predictions, each a model's.

``PUT /notehive-api/models/GROUP/NAME/table/rows`` writes the rows of a run, in place of those that
it wrote before. The body is told of in `notehive.api.sent`.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web

from notehive.api.asking import RefusedError, answer, refuse, who_asks
from notehive.api.database import Database, Place
from notehive.api.models import ONE
from notehive.api.sent import Sent
from notehive.git.repositories import Repository

KIND = "text/csv"


class Tables:
    """The handlers. ``one`` gives the repository that a path names, if the asker sees it."""

    def __init__(self, database: Database, one: Callable[[web.Request], Repository]) -> None:
        self.database, self.one = database, one
        # A group writes one table after the other: so many connections are there at most, and
        # whoever is slow keeps the own group waiting.
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def routes(self) -> list[web.RouteDef]:
        """Give what can be asked."""
        return [web.put(f"{ONE}/table/rows", self.write)]

    async def write(self, request: web.Request) -> web.Response:
        """Write the rows of a run; tell the table and how many they are."""
        sent = Sent(request.content)
        try:
            return await self._write(request, sent)
        except RefusedError:
            await sent.skip()
            raise

    async def _write(self, request: web.Request, sent: Sent) -> web.Response:
        repository = self.one(request)
        if not who_asks(request).changes(repository.group):
            said = f"{repository.group}: you cannot change what is its"
            refuse(HTTPStatus.FORBIDDEN, said)
        if request.content_type != KIND:
            # As for JSON: no form of another site's page can be of this kind.
            refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {KIND}, not {request.content_type}")
        told = await sent.told()
        place = Place(repository.group, repository.name.replace("-", "_"))
        async with self._turns[repository.group]:
            count = await self.database.write(place, told, sent.rows())
        return answer({"table": str(place), "rows": count})
