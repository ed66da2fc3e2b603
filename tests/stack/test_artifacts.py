"""Large artifacts stream through Nginx and MLflow: little in memory, nothing on Nginx's disk."""

import http.client
import os
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.hub import User, user
from tests.support.site import Site

# By hand with NOTEHIVE_TEST_ARTIFACT_MIB=5120 as well.
SIZE = int(os.environ.get("NOTEHIVE_TEST_ARTIFACT_MIB", "512")) * 2**20
CHUNK = b"\0" * 2**20


@pytest.fixture
def carol(site: Site) -> Iterator[User]:
    """A user of this test."""
    with user(site, "carol") as carol:
        yield carol


class Watch:
    """The most bytes that a service has while the body runs: of memory, and below /tmp."""

    def __init__(self, site: Site, service: str) -> None:
        self.site, self.service = site, service
        self.memory = self.disk = 0
        self.before = self._used()[0]
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def _used(self) -> tuple[int, int]:
        # Anonymous memory alone: pages of files are the kernel's to give back.
        command = (
            "cat /proc/[0-9]*/status | awk '/^RssAnon/ {sum += $2} END {print sum * 1024}';"
            " du --summarize --bytes /tmp | cut -f1"
        )
        memory, disk = self.site.exec(self.service, "sh", "-c", command).split()
        return int(memory), int(disk)

    def _look(self) -> None:
        while not self._end.is_set():
            memory, disk = self._used()
            self.memory, self.disk = max(self.memory, memory), max(self.disk, disk)
            time.sleep(0.1)


def connection(site: Site) -> http.client.HTTPConnection:
    """A connection to the site."""
    return http.client.HTTPConnection("127.0.0.1", site.port, timeout=300)


def test_a_large_artifact_streams_up_and_down(site: Site, carol: User) -> None:
    path = "/mlflow/api/2.0/mlflow-artifacts/artifacts/0/test/large.bin"
    headers = {
        "Host": site.url.removeprefix("http://"),
        "Authorization": f"Bearer {carol.token}",
    }
    with Watch(site, "nginx") as nginx, Watch(site, "mlflow") as mlflow:
        up = connection(site)
        body = (CHUNK for _ in range(SIZE // len(CHUNK)))
        up.request("PUT", path, body, {**headers, "Content-Length": str(SIZE)})
        answer = up.getresponse()
        assert answer.status == 200, answer.read()
        up.close()

        down = connection(site)
        down.request("GET", path, headers=headers)
        answer = down.getresponse()
        assert answer.status == 200
        received = 0
        while part := answer.read(2**20):
            received += len(part)
        down.close()
    assert received == SIZE
    assert nginx.memory < 64 * 2**20
    assert nginx.disk < 2**20
    assert mlflow.memory - mlflow.before < SIZE // 4

    delete = connection(site)
    delete.request("DELETE", path, headers=headers)
    assert delete.getresponse().status == 200
