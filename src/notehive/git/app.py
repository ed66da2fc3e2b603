"""The repositories as an aiohttp handler: judges a request, and has git or cgit answer it."""

import asyncio
import tempfile
from collections.abc import Iterable
from typing import NoReturn

from aiohttp import web

from notehive.gate.asker import Asker, asker
from notehive.git import cgi, pages, tickets
from notehive.git.housekeeping import Housekeeping
from notehive.git.options import configured
from notehive.git.paths import PUSH, Kind, Wish, read
from notehive.git.repositories import Repositories, Repository
from notehive.outside.webhook import PATH, Webhook

BACKEND = ("/usr/lib/git-core/git-http-backend",)
BELOW = "/git"  # where the site has all of this
# Programs at once, each of which has some others do its work. A push can take minutes, of which
# those who only look should notice nothing.
MOST_EXCHANGES, MOST_LOOKS = 32, 8


class Door:
    """Whoever asks comes by here. Nginx shows the ``key``; ``url`` is the site's address.

    Tickets are signed with the ``fetch_key``; without one there are none. With a ``webhook``, what
    is pushed comes from outside, and nobody pushes here.
    """

    def __init__(
        self,
        repositories: Repositories,
        key: str,
        url: str,
        keeping: Housekeeping,
        push_limit: int,
        fetch_key: str = "",
        webhook: Webhook | None = None,
    ) -> None:
        self.repositories, self.key, self.keeping = repositories, key, keeping
        self.fetch_key, self.webhook = fetch_key, webhook
        self.url = f"{url}{BELOW}"
        self.push_limit = push_limit  # bytes
        self.exchanges = asyncio.Semaphore(MOST_EXCHANGES)
        self.looks = asyncio.Semaphore(MOST_LOOKS)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.raw_path == "/health":
            return web.Response(text="ok\n")
        if self.webhook and request.raw_path == PATH:
            return await self.webhook(request)
        wish = read(request.method, request.raw_path)
        who = asker(request.headers, self.key) or self.ticket_holder(request, wish)
        if who is None:
            refuse(403, "only Nginx asks here, for whom the gate knows or who has a ticket")
        if wish is None:
            refuse(404, "there is nothing of this name")
        if wish.kind is Kind.STYLE:
            return web.FileResponse(pages.STYLE)
        if wish.kind is Kind.LIST:
            return await self.show(request, wish, who, self.repositories.seen_by(who.sees))
        found = self.repositories.find(wish.group, wish.name) if who.sees(wish.group) else None
        if found is None:
            refuse(404, f"{wish.group}/{wish.name}: there is none, or it is not open to you")
        if wish.kind in (Kind.PAGE, Kind.RAW):
            return await self.show(request, wish, who, [found])
        return await self.exchange(request, wish, who, found)

    def ticket_holder(self, request: web.BaseRequest, wish: Wish | None) -> Asker | None:
        """Give who has a ticket for what is wished, which is to fetch a repository: nobody else."""
        ticket = request.headers.get(tickets.HEADER, "")
        if wish is None or wish.kind is not Kind.FETCH:
            return None
        if not tickets.is_good(ticket, self.fetch_key, wish.group, wish.name):
            return None
        return Asker("", admin=False, edits=frozenset(), reads=frozenset({wish.group}))

    async def show(
        self, request: web.BaseRequest, wish: Wish, who: Asker, shown: Iterable[Repository]
    ) -> web.StreamResponse:
        """Have cgit answer."""
        raw = wish.kind is Kind.RAW
        policy = pages.OF_FILES if raw else pages.OF_PAGES
        told = cgi.variables(request, wish.path, wish.query, who.user, below=BELOW)
        with tempfile.NamedTemporaryFile() as file:
            file.write(pages.configuration(shown, self.url))
            file.flush()
            async with self.looks:
                return await cgi.run(
                    request,
                    [pages.PROGRAM],
                    {**told, "CGIT_CONFIG": file.name},
                    # Cgit would have browsers keep a page for minutes, whatever is pushed.
                    {"Content-Security-Policy": policy, "Cache-Control": "private, no-cache"},
                )

    async def exchange(
        self, request: web.BaseRequest, wish: Wish, who: Asker, repository: Repository
    ) -> web.StreamResponse:
        """Have git take commits in, or give them."""
        pushes = wish.kind is Kind.PUSH
        if pushes and self.webhook:
            refuse(403, f"{wish.group}/{wish.name}: comes from {self.webhook.server}; push there")
        if pushes and not who.changes(wish.group):
            refuse(403, f"{wish.group}/{wish.name}: you may fetch it; its group's members push")
        told = cgi.variables(request, wish.path, wish.query, who.user, below=BELOW)
        told |= {
            "GIT_PROJECT_ROOT": str(self.repositories.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            # For the hook, which tells others of a push.
            "NOTEHIVE_REPOSITORY": f"{wish.group}/{wish.name}",
            **configured({"receive.maxInputSize": self.push_limit}),
        }
        async with self.exchanges:
            answer = await cgi.run(request, BACKEND, told, {}, finish=pushes)
        if wish.path.endswith(f"/{PUSH}"):
            self.keeping.want(repository.path)
        return answer


def refuse(status: int, reason: str) -> NoReturn:
    """End a request with a reason, which git shows to who pushes or fetches."""
    raise REFUSALS[status](text=f"{reason}\n")


REFUSALS: dict[int, type[web.HTTPException]] = {403: web.HTTPForbidden, 404: web.HTTPNotFound}
