"""The server starts, whatever its home looks like, and serves what it should."""

import json

import pytest

from .containers import Container, Containers

AUTHORIZED = ("--header", "Authorization: token test")
PLAIN = r"sed 's/\x1b\[[0-9;]*m//g'"  # without colours
SITE = ".local/lib/python3*/site-packages"
IN_A_KERNEL = """
from jupyter_client import BlockingKernelClient
client = BlockingKernelClient()
client.load_connection_file("/run/jupyter/kernel-{id}.json")
client.start_channels()
client.wait_for_ready(timeout=60)
reply = client.execute_interactive({source!r}, timeout=60)
assert reply["content"]["status"] == "ok", reply
"""


def run_in_kernel(container: Container, source: str) -> str:
    """Run code in a new kernel of the server; gives what it printed."""
    status, body = container.get("/api/kernels", "--request", "POST", *AUTHORIZED)
    assert status == 201
    return container.python(IN_A_KERNEL.format(id=json.loads(body)["id"], source=source))


def test_serves_lab_to_the_token_only(image: str, containers: Containers) -> None:
    lab = containers.lab(image)
    assert lab.get("/api/contents")[0] == 403
    assert lab.get("/api/contents", *AUTHORIZED)[0] == 200
    assert lab.get("/api/terminals", "--request", "POST", *AUTHORIZED)[0] == 200


def test_extensions_are_enabled(image: str, containers: Containers) -> None:
    container = containers.idle(image)
    server = container.sh(f"jupyter server extension list 2>&1 | {PLAIN}")
    for name in (
        "jupyterlab",
        "jupyterlab_git",
        "jupyter_resource_usage",
        "nbdime",
        "notehive.lab",
    ):
        assert f"{name} enabled" in server
    lab = container.sh("jupyter labextension list 2>&1")
    for name in ("@jupyterlab/git", "@jupyter-server/resource-usage", "@notehive/lab"):
        assert f"{name} v" in lab
    left_out = {line.split()[0] for line in server.splitlines() if "disabled" in line}
    assert left_out == {"jupyter_lsp", "notebook_shim"}
    for word in ("error", " X "):
        assert word not in server
    for word in ("disabled", "error", " X "):
        assert word not in lab.partition("Disabled extensions:")[0]


def test_calls_nobody_for_news(image: str, containers: Containers) -> None:
    lab = containers.lab(image)
    page = lab.get("/lab", *AUTHORIZED)[1]
    assert "@jupyterlab/apputils-extension:announcements" in page
    assert "'readonly'" in lab.logs()


def test_shows_use_against_the_limits(image: str, containers: Containers) -> None:
    lab = containers.lab(image, "--env", "MEM_LIMIT=1073741824", "--env", "CPU_LIMIT=1.5")
    body = json.loads(lab.get("/api/metrics/v1", *AUTHORIZED)[1])
    assert body["limits"]["memory"]["rss"] == 1073741824
    assert body["limits"]["cpu"]["cpu"] == 1.5
    assert "host_total_memory" not in body


def test_user_packages_are_for_kernels_only(image: str, containers: Containers) -> None:
    lab = containers.run(
        image,
        "sh", "-c",
        f"populate-home; cd {SITE};"
        "echo answer = 42 > mine.py;"
        "mkdir jupyterlab; echo raise SystemExit > jupyterlab/__init__.py;"
        "cd; echo raise SystemExit > tornado.py;"
        "exec start-notebook --IdentityProvider.token=test",
    )  # fmt: skip
    lab.wait_for_lab()
    lab.sh("rm tornado.py")
    assert run_in_kernel(lab, "import mine; print(mine.answer)") == "42"
    with pytest.raises(AssertionError):  # that is, the package is as broken as it was meant to be
        lab.sh("jupyter lab --version | grep 4")


def test_broken_server_packages_in_the_home(image: str, containers: Containers) -> None:
    lab = containers.run(
        image,
        "sh", "-c",
        f"populate-home; cd {SITE}; mkdir tornado traitlets;"
        "echo raise ImportError | tee tornado/__init__.py > traitlets/__init__.py;"
        "exec start-notebook --IdentityProvider.token=test",
    )  # fmt: skip
    lab.wait_for_lab()


def test_starts_in_a_home_it_cannot_write(image: str, containers: Containers) -> None:
    lab = containers.lab(image, "--tmpfs", "/home/jovyan:ro")
    assert "starting without the welcome files" in lab.logs()


def test_starts_in_a_full_home(image: str, containers: Containers) -> None:
    lab = containers.run(
        image,
        "sh", "-c",
        # IPython was used before, so Jupyter thinks of taking over what IPython 3 had.
        "mkdir .ipython; cat /dev/zero > filler; exec start-notebook --IdentityProvider.token=test",
        options=("--tmpfs", "/home/jovyan:size=1m,uid=1000"),
    )  # fmt: skip
    lab.wait_for_lab()
    assert "No space left on device; starting without the welcome files" in lab.logs()
    lab.sh("rm filler")
    assert run_in_kernel(lab, "print(6 * 7)") == "42"
