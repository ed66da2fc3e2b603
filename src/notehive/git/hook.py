"""Git's hook `post-receive`: tells the service `api` of a push, and the pusher what it answers.

The push is kept whatever becomes of that.
"""

import http.client
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

API = ("api", 8092)
TOKEN = Path("/run/secrets/push-token")
CONNECT, SILENCE = 5, 3600  # seconds until it is given up


def updates(lines: Iterable[str]) -> list[dict[str, str]]:
    """Give what git says on the hook's input: the old and the new commit of each reference."""
    return [dict(zip(("old", "new", "ref"), line.split(), strict=True)) for line in lines]


def tell(push: object, token: str, address: tuple[str, int] = API) -> Iterator[str]:
    """Tell of a push; give the lines of the answer as they come.

    Raises OSError or HTTPException where there is none, or none to its end.
    """
    connection = http.client.HTTPConnection(*address, timeout=CONNECT)
    connection.connect()
    connection.sock.settimeout(SILENCE)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request("POST", "/pushes", json.dumps(push), headers)
    answer = connection.getresponse()
    if answer.status != http.client.OK:
        raise OSError(f"it answered {answer.status}")
    rest = b""
    while piece := answer.read1():  # as `readline` does not, it raises where the answer breaks off
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)


def main(address: tuple[str, int] = API, token: Path = TOKEN) -> None:
    """Tell of the push that git has just taken in."""
    push = {
        "repository": os.environ["NOTEHIVE_REPOSITORY"],
        "user": os.environ["REMOTE_USER"],
        "updates": updates(sys.stdin),
    }
    heard = False
    try:
        for line in tell(push, token.read_text(encoding="utf-8").strip(), address):
            heard = True
            print(line, flush=True)
    except (OSError, http.client.HTTPException) as error:
        but = (
            "the service `api` was ended meanwhile; it goes on when it is back, and "
            "`notehive model status` says how far it is"
            if heard
            else f"the service `api` did not hear of them ({error}); tell your operator"
        )
        print(f"Notehive: your commits are kept, but {but}", flush=True)


if __name__ == "__main__":
    main()
