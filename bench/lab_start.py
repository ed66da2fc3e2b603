"""What the start of a user's server costs, of two notebook images in turn.

usage: python -m bench.lab_start OLD_IMAGE NEW_IMAGE [RUNS]

Measured from `docker start` to the first answer of ``/api``, and from the order for a kernel to
its first reply: seconds, and CPU seconds of the container. A hub that is not a real one answers
what a server asks while it starts. Writes bench/results/lab_start.json.
"""

import json
import os
import platform
import sys
import threading
import time
import urllib.request
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from websockets.sync.client import connect

from tests.support.site import docker

RESULT = Path(__file__).parent / "results/lab_start.json"
GATEWAY = "172.17.0.1"  # of Docker's own bridge: where containers find this machine
PREFIX = "/user/ada/"
USER = {"kind": "user", "name": "ada", "admin": False, "groups": []}
SCOPES = ["access:servers!server=ada/"]


class Hub(BaseHTTPRequestHandler):
    """Answers as a hub does: yes, and that the token is ada's."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer anything."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps({**USER, "scopes": SCOPES}).encode()
        self.send_response(200)
        self.send_header("X-JupyterHub-Version", "6.1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def environment(hub: str) -> dict[str, str]:
    """Give what a hub gives to a server."""
    return {
        "JUPYTERHUB_ACTIVITY_URL": f"{hub}/users/ada/activity",
        "JUPYTERHUB_API_TOKEN": "bench",
        "JUPYTERHUB_API_URL": hub,
        "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-ada",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps(SCOPES),
        "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{PREFIX}oauth_callback",
        "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
        "JUPYTERHUB_SERVICE_URL": f"http://0.0.0.0:8888{PREFIX}",
        "JUPYTERHUB_USER": "ada",
    }


def cpu_seconds(container: str) -> float:
    """Give the CPU time of a container, by the kernel's account."""
    version_1 = Path(f"/sys/fs/cgroup/cpuacct/docker/{container}/cpuacct.usage")
    if version_1.exists():
        return int(version_1.read_text()) / 1e9
    [stat] = Path("/sys/fs/cgroup").rglob(f"*{container}*/cpu.stat")
    return int(dict(line.split() for line in stat.read_text().splitlines())["usage_usec"]) / 1e6


def ask(url: str, method: str = "GET") -> Any:
    """Make a request as ada; give the JSON of its answer."""
    headers = {"Authorization": "token bench"}
    request = urllib.request.Request(url, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def await_server(url: str) -> None:
    """Wait until the server answers."""
    while True:
        try:
            ask(url)
            return
        except OSError:
            time.sleep(0.005)


def execute(address: str, kernel: str) -> None:
    """Run one line in a kernel, and wait for the reply."""
    session = uuid.uuid4().hex
    path = f"{PREFIX}api/kernels/{kernel}/channels?session_id={session}"
    header = {"msg_id": uuid.uuid4().hex, "session": session, "username": "ada", "version": "5.3"}
    content = {"code": "1 + 1", "silent": False}
    message = {"header": {**header, "msg_type": "execute_request"}, "content": content}
    with connect(
        f"ws://{address}{path}", additional_headers={"Authorization": "token bench"}
    ) as ws:
        ws.send(json.dumps({**message, "channel": "shell", "parent_header": {}, "metadata": {}}))
        while json.loads(ws.recv(timeout=60))["header"]["msg_type"] != "execute_reply":
            pass


def start(image: str, hub: str, home: str) -> dict[str, float]:
    """Start a server and a kernel in it; give what both took."""
    variables = [f"--env={key}={value}" for key, value in environment(hub).items()]
    volume = f"--volume={home}:/home/jovyan"
    container = docker("create", "--init", volume, *variables, image)
    try:
        started = time.monotonic()
        docker("start", container)
        [details] = json.loads(docker("inspect", container))
        address = f"{details['NetworkSettings']['IPAddress']}:8888"
        await_server(f"http://{address}{PREFIX}api")
        server = time.monotonic() - started, cpu_seconds(container)
        time.sleep(0.5)  # what the server does after its first answer is not the kernel's

        started, used = time.monotonic(), cpu_seconds(container)
        kernel = ask(f"http://{address}{PREFIX}api/kernels", "POST")["id"]
        execute(address, kernel)
        kernel_seconds = time.monotonic() - started, cpu_seconds(container) - used
    finally:
        docker("rm", "--force", container)
    names = ("server_seconds", "server_cpu_seconds", "kernel_seconds", "kernel_cpu_seconds")
    return dict(zip(names, (*server, *kernel_seconds), strict=True))


def summary(runs: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Give median, quartiles and the least of each figure."""
    found = {}
    for name in runs[0]:
        values = [run[name] for run in runs]
        low, _, high = quantiles(values, n=4)
        figures = {"median": median(values), "quartiles": [low, high], "least": min(values)}
        found[name] = json.loads(json.dumps(figures), parse_float=lambda f: round(float(f), 3))
    return found


def main() -> None:
    """Measure and write the result."""
    old, new = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 12
    server = ThreadingHTTPServer((GATEWAY, 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub = f"http://{GATEWAY}:{server.server_port}/hub/api"
    load = os.getloadavg()[0]
    runs: dict[str, list[dict[str, float]]] = {old: [], new: []}
    homes = {image: docker("volume", "create", "--label", "notehive.test=bench") for image in runs}
    try:
        for number in range(count + 1):
            for image, kept in runs.items():
                figures = start(image, hub, homes[image])
                print(number, image[-40:], figures, flush=True)
                if number:  # the first fills the new home, and the page cache
                    kept.append(figures)
    finally:
        docker("volume", "rm", *homes.values())
    result = {
        "command": f"python -m bench.lab_start {old} {new} {count}",
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": {"cores": os.cpu_count(), "kernel": platform.release(), "load_before": load},
        "runs_of_each": count,
        "old": summary(runs[old]),
        "new": summary(runs[new]),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
