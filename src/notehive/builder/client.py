"""Ask the builder: ``python3 -m notehive.builder.client WHAT GROUP NAME COMMIT [--fresh]``.

WHAT is check, build, smoke or push.
The log goes to standard error, the result as JSON to standard output. Ends with 0, with 2 if the
project is at fault, with 1 if something else is. To be interrupted is to end the build.
"""

import argparse
import http.client
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from notehive.builder import PORT, TOKEN

HOST = "builder"
WHERE = {"check": "checks", "build": "builds", "smoke": "smokes", "push": "pushes"}


def ask(what: str, wanted: Mapping[str, Any], token: str, host: str = HOST) -> Iterator[Any]:
    """Yield what the builder says of a build or a push, event by event."""
    connection = http.client.HTTPConnection(host, PORT)
    body = json.dumps(wanted)
    connection.request("POST", f"/{what}", body, {"Authorization": f"Bearer {token}"})
    with connection.getresponse() as answer:
        for line in answer:
            yield json.loads(line)


def main() -> int:
    """Ask, and give the exit code."""
    parser = argparse.ArgumentParser(prog="notehive.builder.client")
    parser.add_argument("what", choices=tuple(WHERE))
    for name in ("group", "name", "commit"):
        parser.add_argument(name)
    parser.add_argument("--fresh", action="store_true", help="with nothing that was kept")
    parser.add_argument("--host", default=HOST)
    told = parser.parse_args()
    wanted = {"group": told.group, "name": told.name, "commit": told.commit}
    if told.fresh:
        wanted["fresh"] = True
    token = Path(TOKEN).read_text(encoding="utf-8").strip()
    for event in ask(WHERE[told.what], wanted, token, told.host):
        if "line" in event:
            print(event["line"], file=sys.stderr, flush=True)
        elif "error" in event:
            print(event["error"], file=sys.stderr)
            return int(event.get("exit_code", 2))
        else:
            print(json.dumps(event["result"]))
            return 0
    print("builder: it ended before the build did", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
