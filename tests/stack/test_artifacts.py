"""Large artifacts stream through Nginx: nothing on its disk, little in its memory."""

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
    """The most that Nginx uses while the body runs: memory (bytes) and files below /tmp."""

    def __init__(self, site: Site) -> None:
        self.site, self.memory, self.disk = site, 0, 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        # Anonymous memory alone: pages of files that somebody else has read are not Nginx's.
        command = (
            "cat /proc/[0-9]*/status | awk '/^RssAnon/ {sum += $2} END {print sum * 1024}';"
            " du --summarize --bytes /tmp | cut -f1"
        )
        while not self._end.is_set():
            memory, disk = self.site.exec("nginx", "sh", "-c", command).split()
            self.memory = max(self.memory, int(memory))
            self.disk = max(self.disk, int(disk))
            time.sleep(0.1)


def connection(site: Site) -> http.client.HTTPConnection:
    """A connection to the site."""
    return http.client.HTTPConnection("127.0.0.1", site.port, timeout=300)


def test_a_large_artifact_streams_up_and_down(site: Site, carol: User) -> None:
    path = "/mlflow/api/2.0/mlflow-artifacts/artifacts/test/large.bin"
    headers = {
        "Host": site.url.removeprefix("http://"),
        "Authorization": f"Bearer {carol.token}",
    }
    with Watch(site) as watch:
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
    assert watch.memory < 64 * 2**20
    assert watch.disk < 2**20

    delete = connection(site)
    delete.request("DELETE", path, headers=headers)
    assert delete.getresponse().status == 200
