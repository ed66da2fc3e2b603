"""Notehive's own NFS server, asked by a real client in user space: the kernel may have none."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notehive import naming
from notehive.platform.storage import has_nfs_client
from tests.support.hub import User, user
from tests.support.site import Site, changed, docker, run, wait_for

pytestmark = [pytest.mark.long, pytest.mark.changes_site]

PORT = 12049
CLIENT = "notehive-test-nfs-client"
DOCKERFILE = "FROM {base}\nRUN install-debian libnfs14 libnfs-utils python3\n"
# More than libnfs-utils can: what a notebook's editor and its kernel do with files.
WORK = """
import ctypes, os, sys
nfs = ctypes.CDLL("libnfs.so.14")
nfs.nfs_init_context.restype = nfs.nfs_parse_url_dir.restype = ctypes.c_void_p
nfs.nfs_get_error.restype = ctypes.c_char_p
context = ctypes.c_void_p(nfs.nfs_init_context())
url = nfs.nfs_parse_url_dir(context, sys.argv[1].encode())
server, path = ctypes.cast(url, ctypes.POINTER(ctypes.c_char_p))[0:2]

def do(name, *args):
    done = getattr(nfs, "nfs_" + name)(context, *args)
    if done < 0:
        sys.exit(f"{name}: {nfs.nfs_get_error(context).decode()}")

def write(name, content):
    file = ctypes.c_void_p()
    do("open2", name, os.O_CREAT | os.O_RDWR, 0o644, ctypes.byref(file))
    do("write", file, ctypes.c_uint64(len(content)), content)
    do("fsync", file)
    do("close", file)

do("mount", server, path)
do("mkdir", b"/project")
write(b"/project/.draft.tmp", b"x" * 200000)
do("rename", b"/project/.draft.tmp", b"/project/draft")
do("chmod", b"/project/draft", 0o750)
do("truncate", b"/project/draft", ctypes.c_uint64(150000))
do("symlink", b"draft", b"/project/latest")
write(b"/project/gone", b"")
do("unlink", b"/project/gone")
"""


@pytest.fixture(scope="module")
def client(site: Site) -> str:
    """An image with libnfs."""
    base = site.notehive("image", "base").stdout.strip()
    docker("build", "--quiet", "--tag", CLIENT, "-", stdin=DOCKERFILE.format(base=base))
    return CLIENT


@pytest.fixture(scope="module")
def served(site: Site) -> Iterator[Site]:
    """The site, with its homes on its own NFS server."""
    with changed(site, storage={"kind": "nfs", "nfs": {"port": PORT}}):
        yield site


@pytest.fixture
def folder(served: Site) -> Iterator[Path]:
    """A new home, where the server keeps it."""
    name = f"{served.name}_storage"
    root = Path(docker("volume", "inspect", "--format", "{{.Mountpoint}}", name))
    served.exec("storage", "mkdir", "--mode=0700", "/srv/storage/homes/nfs-test")
    yield root / "homes/nfs-test"
    served.exec("storage", "rm", "-r", "/srv/storage/homes/nfs-test")


def address() -> str:
    """Where other nodes' kernels reach this one."""
    return docker("node", "inspect", "self", "--format", "{{.Status.Addr}}")


def url(file: str = "", folder: str = "homes/nfs-test") -> str:
    """What libnfs calls a file of the folder."""
    return f"nfs://{address()}/{folder}{file}?version=4&nfsport={PORT}"


def as_node(client: str, *command: str, user: str = "0", check: bool = True) -> str:
    """Ask the server from this node's address; root has a privileged port, as kernels have."""
    done = run(
        *("docker", "run", "--rm", "--network=host", f"--user={user}", client, *command),
        check=check,
    )
    return done.stdout + done.stderr


def test_a_node_reads_and_writes_as_the_owner_of_homes(client: str, folder: Path) -> None:
    as_node(client, "python3", "-c", WORK, url())
    draft = folder / "project/draft"
    assert draft.read_bytes() == b"x" * 150000
    assert sorted(path.name for path in draft.parent.iterdir()) == ["draft", "latest"]
    assert (draft.parent / "latest").readlink() == Path("draft")
    # The client was root, and is not here.
    for path in (draft.parent, draft):
        assert (path.stat().st_uid, path.stat().st_gid) == (1000, 100)
    assert draft.stat().st_mode & 0o7777 == 0o750
    (folder / "of-the-server").write_text("seen by nodes\n")
    (folder / "of-the-server").chmod(0o644)
    assert as_node(client, "nfs-cat", url("/of-the-server")) == "seen by nodes\n"


def test_nothing_above_the_root_is_served(client: str, served: Site) -> None:
    listed = as_node(client, "nfs-ls", url(folder=""))
    assert sorted(line.split()[-1] for line in listed.splitlines()) == ["homes", "shared"]
    for elsewhere in ("../etc", "etc", "srv/storage"):
        refused = as_node(client, "nfs-ls", url(folder=elsewhere), check=False)
        assert "Failed to mount" in refused


@pytest.mark.usefixtures("folder")
def test_programs_without_a_privileged_port_are_refused(client: str) -> None:
    """From a node's address too: so a user's program on another node would come."""
    refused = as_node(client, "nfs-ls", url(), user="1000", check=False)
    assert "NFS4ERR_ACCESS" in refused


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("user", ["0", "1000"])
def test_containers_are_refused(client: str, served: Site, user: str) -> None:
    """On the network where users' servers are; even root, with a privileged port."""
    service = f"{served.name}-nfs-client"
    docker(
        *("service", "create", "--quiet", "--detach", "--name", service, f"--user={user}"),
        *("--network", f"{served.name}_users", "--restart-condition=none"),
        *("--endpoint-mode=dnsrr", "--label", f"notehive.stack={served.name}"),
        *(client, "nfs-ls", url()),
    )
    try:
        container = wait_for("its container", lambda: served.containers(service))[0]
        docker("wait", container)
        said = run("docker", "logs", container)
        assert "NFS4ERR_ACCESS" in said.stdout + said.stderr
    finally:
        docker("service", "rm", service)


@pytest.mark.usefixtures("folder")
def test_it_goes_on_after_a_restart(client: str, served: Site, folder: Path) -> None:
    (folder / "kept").write_text("kept\n")
    (folder / "kept").chmod(0o644)
    old = served.container("nfs")
    docker("kill", old)
    wait_for("another", lambda: set(served.containers(f"{served.name}_nfs", ended=False)) - {old})

    def read() -> bool:  # refused until nodes have had time to claim what they had open
        return as_node(client, "nfs-cat", url("/kept"), check=False) == "kept\n"

    wait_for("the file", read, 90)


def test_servers_mount_their_homes_from_it(served: Site) -> None:
    """What the Swarm is asked for; and where the kernel has an NFS client, that it works."""
    with user(served, "olga") as olga:
        task = task_of_a_start(olga)
        home = naming.home("olga")
        [mount] = [
            mount for mount in task["ContainerSpec"]["Mounts"] if mount["Target"] == "/home/jovyan"
        ]
        assert mount["Type"] == "volume"
        assert mount["VolumeOptions"]["NoCopy"] is True
        assert mount["VolumeOptions"]["DriverConfig"] == {
            "Name": "local",
            "Options": {
                "type": "nfs",
                "o": f"addr={address()},port={PORT},nodev,nosuid,vers=4.2,hard,noatime",
                "device": f":/{home}",
            },
        }
        assert not task["Placement"].get("Constraints"), "servers run on any node"
        assert task["ContainerSpec"]["Sysctls"]["net.ipv4.ip_unprivileged_port_start"] == "1024"
        served.exec("storage", "test", "-d", f"/srv/storage/{home}")
        if has_nfs_client():
            wait_for("the server", lambda: (olga.server() or {}).get("ready"), 120)
            served.exec(olga.service, "sh", "-c", "echo over nfs > note")
            assert served.exec("storage", "cat", f"/srv/storage/{home}/note") == "over nfs"
            olga.stop()


def task_of_a_start(user: User) -> dict[str, Any]:
    """Start a server and give its task as the Swarm was asked for it, however the start ends."""
    asked = threading.Thread(
        target=user.call, args=("POST", f"/users/{user.name}/server", {"image": "base"})
    )
    asked.start()
    try:
        [service] = wait_for(
            "the service",
            lambda: json.loads(docker("service", "inspect", user.service, check=False)),
        )
    finally:
        asked.join()
    task: dict[str, Any] = service["Spec"]["TaskTemplate"]
    return task
