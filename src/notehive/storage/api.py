"""What the keeper can be asked, by whoever has its token.

``PUT /homes/NAME`` makes a directory, ``GET`` says what it held when last measured, ``POST
/homes/NAME/measure`` measures it now; ``/shared/NAME`` is the same. ``GET /usage`` gives all, to
whoever has a token for that alone, too.

With a token of its own: ``PUT /runs/GROUP/MODEL/RUN`` makes the directory of a run, and gives the
JSON that it was made with, ``GET /runs/GROUP/MODEL/RUN/told/STEP`` what a step has told in it.
"""

import asyncio
import hmac
import json
import shutil
from http import HTTPStatus
from typing import Any, NamedTuple

from tornado.web import Application, HTTPError, RequestHandler

from notehive.storage.directories import Directories
from notehive.storage.runs import Runs
from notehive.storage.usage import Usage

PATIENCE = 20.0  # seconds that a request waits for a measurement


class Guarded(RequestHandler):
    """What the handlers share: the token, and errors in a sentence."""

    tokens: tuple[str, ...]

    def prepare(self) -> None:
        """Let in who has one of the tokens."""
        given = self.request.headers.get("Authorization", "").encode()
        known = [hmac.compare_digest(given, f"Bearer {token}".encode()) for token in self.tokens]
        if not any(known):
            raise HTTPError(401)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what is wrong."""
        error = kwargs.get("exc_info", (None, None))[1]
        if isinstance(error, OSError):
            # A full or read-only disk, a server that is away: this service is not broken.
            self.set_status(507, "Insufficient Storage")
        self.finish({"message": str(error or HTTPStatus(status_code).phrase)})


class Handler(Guarded):
    """What is asked about homes and shared folders."""

    def initialize(self, directories: Directories, usage: Usage, tokens: tuple[str, ...]) -> None:
        """Take what the application is made of."""
        self.directories, self.usage, self.tokens = directories, usage, tokens


class DirectoryHandler(Handler):
    """One home or shared folder."""

    def check(self, kind: str, name: str) -> tuple[str, str]:
        """Give the key of what is asked about, if there can be such a directory."""
        try:
            self.directories.path(kind, name)
        except ValueError as error:
            raise HTTPError(400, str(error)) from None
        return kind, name

    async def put(self, kind: str, name: str) -> None:
        """Make it, unless it is there."""
        made = self.directories.make(*self.check(kind, name))
        self.set_status(HTTPStatus.CREATED if made else HTTPStatus.OK)
        self.finish({"made": made})

    async def get(self, kind: str, name: str) -> None:
        """What it held when it was last measured, 0 if it never was."""
        self.finish({"used": self.usage.used.get(self.check(kind, name), 0)})


class MeasureHandler(DirectoryHandler):
    """One that is to be measured."""

    async def post(self, kind: str, name: str) -> None:
        """Measure it now. A large one is answered with its last figure, and measured on."""
        key = self.check(kind, name)
        if not self.directories.path(*key).is_dir():
            raise HTTPError(404, f"{kind}/{name}: there is none")
        try:
            used = await asyncio.wait_for(self.usage.measure(*key), PATIENCE)
        except TimeoutError:
            used = self.usage.used.get(key, 0)
        self.finish({"used": used})


class UsageHandler(Handler):
    """All of them."""

    def get(self) -> None:
        """Bytes of each by kind and name, and of the whole file system."""
        answer: dict[str, Any] = {"homes": {}, "shared": {}}
        for (kind, name), used in sorted(self.usage.used.items()):
            answer[kind][name] = used
        disk = shutil.disk_usage(self.directories.root)
        self.finish(answer | {"free": disk.free, "total": disk.total})


class RunHandler(Guarded):
    """The directory of a run."""

    def initialize(self, runs: Runs, tokens: tuple[str, ...]) -> None:
        """Take what the application is made of."""
        self.runs, self.tokens = runs, tokens

    def put(self, group: str, model: str, run: str) -> None:
        """Make it, unless it is there; give what it was made with."""
        try:
            self.finish(self.runs.begin(group, model, run, json.loads(self.request.body)))
        except ValueError as error:
            raise HTTPError(400, str(error)) from None


class ToldHandler(RunHandler):
    """What a step of a run has told."""

    def get(self, group: str, model: str, run: str, step: str) -> None:
        """Give it, as a JSON object."""
        try:
            self.finish(self.runs.told(group, model, run, step))
        except ValueError as error:
            raise HTTPError(400, str(error)) from None


class HealthHandler(RequestHandler):
    """For the health check of the service."""

    def get(self) -> None:
        """Say that the keeper answers."""
        self.finish("ok\n")


class Tokens(NamedTuple):
    """What the keeper's clients show."""

    directories: str
    runs: str
    usage: str = ""  # empty where nobody has it


def make_app(directories: Directories, usage: Usage, runs: Runs, tokens: Tokens) -> Application:
    """The keeper as a Tornado application."""
    kept = {"directories": directories, "usage": usage}
    told = {**kept, "tokens": (tokens.directories,)}
    readers = tuple(filter(None, (tokens.directories, tokens.usage)))
    of_runs = {"runs": runs, "tokens": (tokens.runs,)}
    one = r"/(homes|shared)/([^/]+)"
    run = r"/runs/([^/]+)/([^/]+)/([^/]+)"
    return Application(
        [
            (r"/health", HealthHandler),
            (r"/usage", UsageHandler, {**kept, "tokens": readers}),
            (one, DirectoryHandler, told),
            (one + "/measure", MeasureHandler, told),
            (run, RunHandler, of_runs),
            (run + "/told/([^/]+)", ToldHandler, of_runs),
        ]
    )
