"""The log of one of one's own services, passed on while it is written."""

import re

from notehive.guard.calls import NAME, VERSION, Asked
from notehive.guard.engine import Engine, Stream
from notehive.guard.ours import OfOurs
from notehive.guard.refused import MalformedError
from notehive.guard.strict import Filters

# All that may be asked: each once, in this order, with these values.
QUERY = re.compile(r"(follow=1&)?stdout=1&stderr=1(&tail=[1-9][0-9]{0,4})?")


class LogsOfOurs(OfOurs):
    """A look at the log of one of one's own services."""

    def match(self, method: str, path: str) -> re.Match[str] | None:
        """The name is before the end of the path."""
        wanted = f"(?P<version>{VERSION}){re.escape(self.path)}/(?P<name>{NAME})/logs"
        return re.fullmatch(wanted, path) if method == self.method else None

    def read_query(self, query: str) -> Filters:
        """Take a query that is one of these, as it is. Raises MalformedError."""
        if not QUERY.fullmatch(query):
            raise MalformedError("The query is none that asks for a log.")
        return {"query": [query]}

    async def answer(self, engine: Engine, asked: Asked) -> Stream:
        """Look whose it is, and pass on its log by its full id."""
        found = await self.find(engine, asked)
        path = f"{asked.version}{self.path}/{found.data['ID']}/logs"
        return Stream(path, asked.filters["query"][0])
