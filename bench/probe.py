"""Creates services and times them; runs on the engine's node, in the network of the hub.

Standard input: a JSON list of services' specs, as the engine's API takes them. Each is created at
once, its task watched, and its port 8888 asked for /lab. Standard output: a JSON list, of seconds
since each one's creation was asked for: {"running": ..., "answers": ...}.
"""

import http.client
import json
import socket
import sys
import threading
import time
from typing import Any
from urllib.parse import quote

SECONDS = 120  # until it is given up
PAUSE = 0.02


class Engine(http.client.HTTPConnection):
    """The engine's API, on its socket."""

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect("/var/run/docker.sock")


def ask(method: str, path: str, body: Any = None) -> Any:
    """Make one request to the engine; give its JSON."""
    engine = Engine("docker")
    data = None if body is None else json.dumps(body)
    engine.request(method, path, data, {"Content-Type": "application/json"})
    answer = engine.getresponse()
    said = json.loads(answer.read())
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {said}")
    return said


def answers(address: str) -> bool:
    """Whether JupyterLab's page is there."""
    connection = http.client.HTTPConnection(address, 8888, timeout=5)
    try:
        connection.request("GET", "/lab")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def main() -> None:
    """Create, watch, print."""
    asked: dict[str, float] = {}
    found: dict[str, dict[str, float]] = {}
    for spec in json.load(sys.stdin):
        begun = time.monotonic()
        service = ask("POST", "/services/create", spec)["ID"]
        asked[service], found[service] = begun, {}

    def watch(service: str, address: str) -> None:
        while time.monotonic() < asked[service] + SECONDS:
            if answers(address):
                found[service]["answers"] = round(time.monotonic() - asked[service], 4)
                return
            time.sleep(PAUSE)

    watchers: list[threading.Thread] = []
    wanted = quote(json.dumps({"service": list(asked)}))
    while len(watchers) < len(asked) and time.monotonic() < max(asked.values()) + SECONDS:
        for task in ask("GET", f"/tasks?filters={wanted}"):
            service = task["ServiceID"]
            if task["Status"]["State"] == "running" and not found[service]:
                found[service]["running"] = round(time.monotonic() - asked[service], 4)
                address = task["NetworksAttachments"][0]["Addresses"][0].split("/")[0]
                watchers.append(threading.Thread(target=watch, args=(service, address)))
                watchers[-1].start()
        time.sleep(PAUSE)
    for watcher in watchers:
        watcher.join()
    print(json.dumps([found[service] for service in asked]))


if __name__ == "__main__":
    main()
