"""Somebody with a server, and what they do in it."""

import json
from dataclasses import dataclass
from typing import Any

from tests.support.hub import User
from tests.support.site import Answer, Site, fetch, run


@dataclass
class Owner:
    """A user with a server, and what they do in it."""

    site: Site
    user: User

    def shell(self, script: str, *, at: str = "") -> tuple[int, str]:
        """Run a script as a terminal of theirs does; give its exit code and what it says."""
        container = self.site.container(self.user.service)
        script = f"exec 2>&1; {self._resolve} cd /home/jovyan/{at} && {{ {script}; }}"
        done = run(
            *("docker", "exec", container, "docker-entrypoint", "bash", "-c", script), check=False
        )
        return done.returncode, done.stdout

    @property
    def _resolve(self) -> str:
        """Leads git to the site: curl takes every name below `localhost` for its own machine."""
        ask = f'import socket; print(socket.gethostbyname("{self.site.host}"))'
        address = f"$(python3 -c '{ask}')"
        return (
            "n=${GIT_CONFIG_COUNT:-0}; export GIT_CONFIG_COUNT=$((n + 1))"
            " GIT_CONFIG_KEY_$n=http.curloptResolve"
            f" GIT_CONFIG_VALUE_$n={self.site.host}:{self.site.port}:{address};"
        )

    def does(self, script: str, *, at: str = "") -> str:
        """Run a script that must succeed."""
        code, said = self.shell(script, at=at)
        assert code == 0, said
        return said

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Make one request with the user's token."""
        return fetch(
            self.site,
            path,
            method=method,
            headers={
                "Authorization": f"Bearer {self.user.token}",
                "Content-Type": "application/json",
            },
            body=None if body is None else json.dumps(body).encode(),
        )
