"""The builder, as the API asks it."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from notehive.builder import AGAIN
from notehive.errors import BadInput, NotehiveError

URL = "http://builder:8092"
# And where they are asked for.
STAGES = {"check": "checks", "build": "builds", "smoke": "smokes", "push": "pushes"}
PATHS = {**STAGES, "prune": "prunings", "collect": "collections"}
# A line may be long in coming, for what builds waits for its turn; a builder that is not there
# is known at once.
TIMEOUT = ClientTimeout(total=None, sock_connect=10)


@dataclass(frozen=True)
class Builder:
    """Asks, with the builder's token."""

    token: str
    url: str = URL

    async def ask(self, stage: str, wanted: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Yield a stage's lines as ``{"line": ...}`` and at last ``{"result": {...}}``.

        ``wanted`` has group, name and commit; `notehive.builder.app` says what other work takes.
        Raises BadInput with the reason if the project is at fault, NotehiveError if something else
        is.
        """
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.url}/{PATHS[stage]}"
        try:
            async with (
                ClientSession(timeout=TIMEOUT) as session,
                session.post(url, json=wanted, headers=headers) as answer,
            ):
                async for line in answer.content:
                    event: dict[str, Any] = json.loads(line)
                    if "error" in event:
                        at_fault = event.get("exit_code") == BadInput.exit_code
                        raise (BadInput if at_fault else NotehiveError)(event["error"])
                    yield event
                    if "result" in event:
                        return
        except (ClientError, OSError, ValueError) as error:
            raise NotehiveError(f"the builder does not answer ({error}); {AGAIN}") from None
        raise NotehiveError(f"the builder ended before it was done; {AGAIN}")
