"""Fetches what is outside into the platform's own repositories; of the outside it reads no more."""

import asyncio
import os
import shlex
import signal
import tempfile
from pathlib import Path

from notehive.errors import NotehiveError
from notehive.git.options import configured
from notehive.git.repositories import BRANCH, Repositories, Repository
from notehive.hub.config import SECRETS
from notehive.outside.config import OutsideConfig

# Where the repositories want one of them.
TOKEN, KEY = SECRETS / "outside-token", SECRETS / "outside-key"
HELPER = Path(__file__).parents[3] / "git/outside-credential"
OURS = f"refs/heads/{BRANCH}"
LIMIT = 3600.0  # seconds for one repository
SILENCE = 60  # seconds without anything of it
LONGEST = 300  # characters of what git says
NONE = "0" * 40


class Mirror:
    """The repositories that are copies of those outside; a fetch brings ``most`` bytes at most."""

    def __init__(
        self,
        config: OutsideConfig,
        repositories: Repositories,
        most: int,
        token: Path = TOKEN,
        key: Path = KEY,
    ) -> None:
        self.config, self.repositories, self.most = config, repositories, most
        self.token, self.key = token, key
        self._certificates = _file(config.certificates)
        self._known_hosts = _file(config.known_hosts)

    def made(self, model: str) -> Repository:
        """Give the repository of a model, GROUP/NAME, which is made if it is not there."""
        group, _, name = model.partition("/")
        return self.repositories.find(group, name) or self.repositories.make(group, name)

    async def fetch(self, model: str) -> str:
        """Bring a model's branch up to what is outside; give its commit.

        Raises NotehiveError with what git says.
        """
        repository = await asyncio.to_thread(self.made, model)
        theirs = f"+refs/heads/{self.config.branch}:{OURS}"
        code, said = await self._git(
            repository,
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"),
            *("--recurse-submodules=no", "--", self.config.repositories[model], theirs),
        )
        if code:
            raise NotehiveError(f"{model}: cannot be fetched: {_why(said)}")
        _, commit = await self._git(repository, "rev-parse", OURS)
        return commit.strip()

    async def has(self, model: str, commit: str) -> bool:
        """Whether a commit is in what has been fetched of a model."""
        code, _ = await self._git(self.made(model), "cat-file", "-e", f"{commit}^{{commit}}")
        return not code

    async def _git(self, repository: Repository, *args: str) -> tuple[int, str]:
        """Run git in a repository; give its exit code and all that it says."""
        process = await asyncio.create_subprocess_exec(
            *("prlimit", f"--fsize={self.most}", "git", "-C", str(repository.path), *args),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._env(),
            start_new_session=True,  # with all that it starts
        )
        try:
            said, _ = await asyncio.wait_for(process.communicate(), LIMIT)
        except TimeoutError:
            raise NotehiveError(f"git {args[0]}: takes more than {LIMIT:.0f} s") from None
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        assert process.returncode is not None  # noqa: S101 - it has ended
        return process.returncode, said.decode(errors="replace")

    def _env(self) -> dict[str, str]:
        """Give all that git is told, beside its own configuration."""
        options = {
            "core.askPass": "",
            "fetch.fsckObjects": "true",
            "fetch.unpackLimit": "1",  # always one pack, which alone is limited
            # Whoever answers there cannot send this on to an address inside.
            "http.followRedirects": "false",
            "http.lowSpeedLimit": "1",
            "http.lowSpeedTime": str(SILENCE),
        }
        if self.token.exists():
            options["credential.helper"] = str(HELPER)
        if self._certificates:
            options["http.sslCAInfo"] = self._certificates
        ssh = (
            *("ssh", "-F", "none", "-i", str(self.key), "-o", "BatchMode=yes"),
            *("-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes"),
            *("-o", f"UserKnownHostsFile={self._known_hosts}"),
            *("-o", f"ConnectTimeout={SILENCE}", "-o", f"ServerAliveInterval={SILENCE}"),
        )
        return {
            "PATH": "/usr/bin:/bin",
            "GIT_ALLOW_PROTOCOL": "https:ssh",
            "GIT_SSH_COMMAND": shlex.join(ssh),
            "GIT_TERMINAL_PROMPT": "0",
            "OUTSIDE_USER": self.config.user,
            "OUTSIDE_TOKEN_FILE": str(self.token),
            **configured(options),
        }


def _file(text: str) -> str:
    """Give the path of a file with this text; nothing for none."""
    if not text:
        return ""
    with tempfile.NamedTemporaryFile("w", prefix="outside-", delete=False) as file:
        file.write(text)
    return file.name


def _why(said: str) -> str:
    """Give in one line what git says: all up to the word that this is the end."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = next((n for n, line in enumerate(lines) if line.startswith("fatal:")), len(lines))
    return "; ".join(lines[: last + 1])[:LONGEST] or "git says nothing"
