"""Those who are compared, brought up beside each other on one Swarm."""

import json
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from bench import floor, servers
from bench.client import Hub
from bench.peer import ENDPOINT_MODE, Notebook, build_image, peer, remove
from bench.rows import Row
from notehive import docker, settings
from tests.support.hub import call
from tests.support.site import PASSWORD, Site

# In the order in which they are measured.
ROWS = {
    "stock": "stock SwarmSpawner, packages as pip installs them",
    "mixed": "stock SwarmSpawner, Notehive's image",
    "notehive": "Notehive",
}
PEERS = ("stock", "mixed")
STACK = "bench-notehive"
PORT = 18280
REGISTRY_PORT = 15200
SETTINGS: dict[str, Any] = {
    "name": STACK,
    "url": f"http://{STACK}.localhost:{PORT}",
    "network": {"users": "10.95.0.0/16", "registry_port": REGISTRY_PORT},
    "images": {"base": {"title": "Base"}},
    # Reservations that ten users of a small machine have room for.
    "sizes": {
        "bench": {
            "limit": {"cpu": 1, "memory": "1G"},
            "guarantee": {"cpu": 0.1, "memory": "256M"},
        }
    },
}
# Where Notehive's own image would be, so that the engine asks the same registry for both.
PEER_IMAGE = f"127.0.0.1:{REGISTRY_PORT}/notehive/bench-stock:latest"
VERSIONS = """
import importlib.metadata, json, sys
print(json.dumps({name: importlib.metadata.version(name) for name in sys.argv[1:]}))
"""
OF_HUB = ("jupyterhub", "dockerspawner")
OF_SERVER = ("jupyterlab", "jupyter-server", "ipykernel")


@contextmanager
def set_up(keys: Collection[str], session: ClientSession) -> Iterator[dict[str, Row]]:
    """Bring up those with these keys; all that they made is gone afterwards.

    Notehive is always there: the peers run its images.
    """
    with ExitStack() as stack:
        site = Site(Path(stack.enter_context(tempfile.TemporaryDirectory())), SETTINGS)
        remove_all(site)  # what an ended run left
        stack.callback(remove_all, site)
        site.up()
        notebook = image(site, "notebooks-base")
        notebooks = {
            "stock": Notebook(PEER_IMAGE, "jupyterhub-singleuser"),
            "mixed": Notebook(notebook, "start-notebook"),
        }
        if "stock" in keys:
            build_image(PEER_IMAGE, image(site, "python"))
        rows = {}
        for port, key in enumerate(ROWS, PORT + 1):
            if key not in keys:
                continue
            if key == "notehive":
                hub = Hub(session, f"http://127.0.0.1:{PORT}", site.url[7:], admin_token(site))
                options = {"image": "base", "size": "bench"}
                rows[key] = Row(ROWS[key], STACK, notebook, hub, options)
                continue
            host = f"127.0.0.1:{port}"
            up = peer(
                *(f"bench-{key}", port, notebooks[key]),
                settings.load(site.file).sizes["bench"],
                hub_image=image(site, "hub"),
                proxy_image=image(site, "proxy"),
            )
            hub = Hub(session, f"http://{host}", host, stack.enter_context(up))
            rows[key] = Row(ROWS[key], f"bench-{key}", notebooks[key].image, hub)
        yield rows


def remove_all(site: Site) -> None:
    """Remove the site, the peers and the floor's services, whichever of them there are."""
    servers.remove_all(floor.STACK)
    for key in PEERS:
        remove(f"bench-{key}")
    site.notehive("down", "--purge", "--yes")


def image(site: Site, name: str) -> str:
    """Give the full name of one of our images, which `up` has built."""
    return site.notehive("image", name).stdout.strip()


def admin_token(site: Site) -> str:
    """Make an administrator; give a token of what they may do."""
    name = "bench-admin"
    site.add_user(name, "--admin")
    login = {"auth": {"username": name, "password": PASSWORD}, "note": "benchmark"}
    answer = call(site, "POST", f"/users/{name}/tokens", login)
    return str(json.loads(answer.body)["token"])


def versions(rows: Mapping[str, Row]) -> dict[str, Any]:
    """Give the versions of what is compared, asked of the very containers and images."""
    found: dict[str, Any] = {"peers' endpoint mode": ENDPOINT_MODE}
    for key, row in rows.items():
        hub = docker.containers(f"{row.stack}_hub")[0]
        server = ("run", "--rm", "--entrypoint", "python3", row.image)
        found[key] = {
            **json.loads(docker.output("exec", hub, "python3", "-c", VERSIONS, *OF_HUB)),
            **json.loads(docker.output(*server, "-c", VERSIONS, *OF_SERVER)),
        }
    return found
