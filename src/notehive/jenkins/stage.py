"""`notehive model STAGE` on Jenkins' agent: has the platform run one stage of a release.

Python's own library alone, and quick to start: nothing else is in the agent's image.
"""

import argparse
import http.client
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from notehive.errors import BadInput, NotehiveError

CONNECT, SILENCE = 5, 3600  # seconds until it is given up


def ask(address: str, token: str, stage: str, wanted: Mapping[str, str]) -> Iterator[str]:
    """Ask for a stage; yield what it says. Raises NotehiveError with why it failed."""
    connection = http.client.HTTPConnection(address, timeout=CONNECT)
    try:
        connection.connect()
        connection.sock.settimeout(SILENCE)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request("POST", f"/stages/{stage}", json.dumps(wanted), headers)
        answer = connection.getresponse()
        while line := answer.readline():
            event = json.loads(line)
            if "result" in event:
                return
            if "line" not in event:
                at_fault = event.get("exit_code") == BadInput.exit_code
                said = event.get("error") or event["message"]
                raise (BadInput if at_fault else NotehiveError)(said)
            yield event["line"]
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        raise NotehiveError(f"the service `api` does not answer ({error})") from None
    finally:
        connection.close()
    raise NotehiveError("the service `api` ended before the stage did")


def main() -> None:
    """Run the command; an error is one line, and the exit code says which kind."""
    parser = argparse.ArgumentParser(prog="notehive")
    parser.add_argument("model", choices=["model"], help="what it is about")
    parser.add_argument("stage", help="source, or a stage of a release")
    for key in ("group", "name", "commit"):
        parser.add_argument(f"--{key}", required=True)
    given = vars(parser.parse_args())
    del given["model"]
    token = Path(os.environ["NOTEHIVE_TOKEN_FILE"]).read_text(encoding="utf-8").strip()
    try:
        for line in ask(os.environ["NOTEHIVE_API"], token, given.pop("stage"), given):
            print(line, flush=True)
    except NotehiveError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
