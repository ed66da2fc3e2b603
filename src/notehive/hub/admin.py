"""What the operator's CLI runs inside the hub: one JSON object in, one out.

``python3 -m notehive.hub.admin user-add|user-remove|user-list|user-passwd`` speaks to the
running hub, which alone may write what it caches. Exit codes: 0 done, 1 failed, 2 bad
input; then the message is one line on stderr.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from notehive.errors import BadInput, NotehiveError
from notehive.hub.config import SECRETS
from notehive.usernames import check_user_name

STOP_SECONDS = 90  # how long a server may take to stop before its user is removed
JSON = dict[str, Any]


class Refused(BadInput):
    """The hub said no to a request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def ask_hub(method: str, path: str, body: JSON | None = None) -> Any:
    """Send a request to the hub's REST API and give the JSON of its answer.

    Raises Refused for an answer of 4xx, NotehiveError if the hub is down or broken.
    """
    api = os.environ.get("NOTEHIVE_HUB_API", "http://127.0.0.1:8081/hub/api")
    request = urllib.request.Request(  # noqa: S310 - the address is the platform's
        api + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"token {_token()}", "Content-Type": "application/json"},
    )
    # The proxy of the company, if the container has one set, is not for this address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as response:
            return json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        answer = error.read().decode(errors="replace")
        try:
            message = json.loads(answer)["message"]
        except (ValueError, KeyError, TypeError):
            message = answer[:200]
        if error.code in (400, 404, 409):
            raise Refused(error.code, message) from None
        raise NotehiveError(f"the hub answered {error.code}: {message}") from None
    except OSError as error:
        raise NotehiveError(
            f"the hub does not answer ({error}); see `./notehive logs hub`"
        ) from None


def _token() -> str:
    path = os.environ.get("NOTEHIVE_HUB_TOKEN_FILE", str(SECRETS / "hub-admin-token"))
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise NotehiveError(f"the hub's token cannot be read: {error}") from None


def user_add(given: JSON) -> JSON:
    """Make a user with a password, or give a user of the hub without one theirs."""
    name = _name(given, "groups", "admin", "password")
    body = {key: value for key, value in given.items() if key != "name"}
    try:
        made: JSON = ask_hub("PUT", f"/accounts/{quote(name, safe='')}", body)
    except Refused as refusal:
        if refusal.status != 409:
            raise
        raise BadInput(f"{refusal} Set a password with `./notehive user passwd {name}`.") from None
    return made


def user_passwd(given: JSON) -> JSON:
    """Set a user's password and end their sessions."""
    name = _name(given, "password")
    body = {key: value for key, value in given.items() if key != "name"}
    try:
        changed: JSON = ask_hub("PATCH", f"/accounts/{quote(name, safe='')}", body)
    except Refused as refusal:
        if refusal.status == 400:
            raise
        raise BadInput(f"{refusal} Add the user with `./notehive user add {name}`.") from None
    return changed


def user_list(given: JSON) -> JSON:
    """List users and those who wait for approval."""
    _only(given)
    listed: JSON = ask_hub("GET", "/accounts")
    return listed


def user_remove(given: JSON) -> JSON:
    """Stop a user's servers and remove user and account. The home stays."""
    name = _name(given)
    user = f"/users/{quote(name, safe='')}"
    deadline = time.monotonic() + STOP_SECONDS
    while (servers := _servers(user)) and time.monotonic() < deadline:
        for server in servers:
            # Refused while it starts or stops: then wait and ask again.
            _unless_refused("DELETE", f"{user}/servers/{quote(server, safe='')}", 400, 404)
        time.sleep(0.2)
    if servers:
        raise NotehiveError(
            f"a server of {name} has not stopped in {STOP_SECONDS} s; "
            f"see `./notehive logs {name}`, then try again"
        )
    removed_user = _unless_refused("DELETE", user, 404)
    removed_account = _unless_refused("DELETE", f"/accounts/{quote(name, safe='')}", 404)
    if not (removed_user or removed_account):
        raise BadInput(f"There is no user {name}; see `./notehive user list`.")
    return {"name": name, "removed": True}


def _servers(user: str) -> list[str]:
    try:
        model = ask_hub("GET", user)
    except Refused:
        return []
    return list(model.get("servers") or {})


def _unless_refused(method: str, path: str, *statuses: int) -> bool:
    try:
        ask_hub(method, path)
    except Refused as refusal:
        if refusal.status not in statuses:
            raise
        return False
    return True


def _name(given: JSON, *others: str) -> str:
    _only(given, "name", *others)
    name = given.get("name")
    if not isinstance(name, str):
        raise BadInput("name: is missing or no text")
    try:
        return check_user_name(name)
    except ValueError as error:
        raise BadInput(str(error)) from None


def _only(given: JSON, *keys: str) -> None:
    for key in given:
        if key not in keys:
            raise BadInput(f"{key}: unknown; known are {', '.join(keys) or 'none'}")


COMMANDS: dict[str, Callable[[JSON], JSON]] = {
    "user-add": user_add,
    "user-list": user_list,
    "user-passwd": user_passwd,
    "user-remove": user_remove,
}


def main(arguments: list[str], text: str) -> JSON:
    """Run one command with the JSON of ``text``; raises NotehiveError."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        raise BadInput(f"give one command of {', '.join(COMMANDS)}")
    try:
        given = json.loads(text or "{}")
    except ValueError as error:
        raise BadInput(f"the input is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise BadInput("the input is not a JSON object")
    return COMMANDS[arguments[0]](given)


if __name__ == "__main__":
    try:
        print(json.dumps(main(sys.argv[1:], sys.stdin.read())))
    except NotehiveError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(error.exit_code)
