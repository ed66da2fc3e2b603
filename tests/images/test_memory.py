"""At its memory limit a server says what was ended; if it was itself, its exit code does."""

import json
import subprocess
from typing import Any

from notehive.endings import OUT_OF_MEMORY

from .containers import DOCKER, Container, Containers, docker, until

AUTHORIZED = ("--header", "Authorization: token test")
LIMIT = ("--memory=300m", "--memory-swap=300m")
MEDIUM = [{"key": "medium", "title": "Medium", "limit": "2 CPUs, 4 GB"}]
READY = """
from jupyter_client import BlockingKernelClient
client = BlockingKernelClient()
client.load_connection_file("/run/jupyter/kernel-{id}.json")
client.start_channels()
client.wait_for_ready(timeout=60)
"""
EAT = READY + "client.execute('food = [0] * (1 << 27)')"


# The server keeps what is uploaded in its own memory.
UPLOAD = """
import http.client
connection = http.client.HTTPConnection("127.0.0.1", 8888)
connection.putrequest("PUT", "/api/contents/large.txt?token=test")
connection.putheader("Content-Length", str(400 << 20))
connection.endheaders()
for _ in range(400):
    connection.send(b"x" * (1 << 20))
connection.getresponse()
"""


def exit_code(container: Container) -> int:
    return int(docker("inspect", "--format", "{{.State.ExitCode}}", container.id))


def post(lab: Container, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = ("--data", json.dumps(body)) if body else ()
    status, answer = lab.get(path, "--request", "POST", *data, *AUTHORIZED)
    assert status in (200, 201), answer
    return dict(json.loads(answer))


def notices(lab: Container) -> dict[str, Any]:
    status, answer = lab.get("/notehive/notices", *AUTHORIZED)
    assert status == 200
    return dict(json.loads(answer))


def notebook_with_kernel(lab: Container, name: str) -> str:
    """Open a notebook; give the id of its kernel."""
    kernel = {"path": name, "type": "notebook", "name": name, "kernel": {"name": "python3"}}
    return str(post(lab, "/api/sessions", kernel)["kernel"]["id"])


def test_an_ended_kernel_is_named(image: str, containers: Containers) -> None:
    variable = f"NOTEHIVE_LARGER_SIZES={json.dumps(MEDIUM)}"
    lab = containers.lab(image, *LIMIT, "--env", variable)
    calm = notebook_with_kernel(lab, "work/calm.ipynb")
    hungry = notebook_with_kernel(lab, "work/train.ipynb")
    assert notices(lab)["ended"] == []
    lab.python(EAT.format(id=hungry))
    until(lambda: bool(notices(lab)["ended"]), "the notice")
    said = notices(lab)
    assert said["ended"] == [{"name": "train.ipynb"}]
    assert said["memory_limit"] == 300 * 2**20
    assert said["larger_sizes"] == MEDIUM

    until(lambda: "restarting kernel (1/5)" in lab.logs(), "Jupyter restarts the kernel")
    lab.python(READY.format(id=hungry))
    assert notices(lab)["ended"] == [{"name": "train.ipynb"}], "a restart is no second end"
    assert lab.get(f"/api/kernels/{calm}", *AUTHORIZED)[0] == 200


def test_a_program_beside_the_kernels(base: str, containers: Containers) -> None:
    lab = containers.lab(base, *LIMIT)
    notebook_with_kernel(lab, "calm.ipynb")
    lab.sh("echo 1000 > /proc/self/oom_score_adj; python3 -c '[0] * (1 << 27)' || :")
    until(lambda: bool(notices(lab)["ended"]), "the notice")
    assert notices(lab)["ended"] == [{"name": ""}]


def test_a_server_that_is_itself_too_large(base: str, containers: Containers) -> None:
    lab = containers.lab(base, *LIMIT)
    done = subprocess.run([DOCKER, "exec", "--interactive", lab.id, "python3", "-c", UPLOAD])
    assert done.returncode
    until(lambda: not lab.running(), "the server ends")
    assert exit_code(lab) == OUT_OF_MEMORY


def test_a_stop_is_a_stop(base: str, containers: Containers) -> None:
    lab = containers.lab(base)
    docker("stop", "--time=60", lab.id)
    assert exit_code(lab) != 128 + 9, "it was killed for want of an answer"
    assert "received signal 15" in lab.logs()
