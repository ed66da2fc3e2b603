"""Ports of containers that no other network than theirs reaches, on this machine's loopback."""

import contextlib
import ctypes
import os
import signal
import socket
import threading
from collections.abc import Iterator

from tests.support.site import Site

CLONE_NEWNET = 0x40000000


@contextlib.contextmanager
def port_inside(site: Site, service: str, port: int) -> Iterator[int]:
    """Give a port here that leads to a port of a service's container, as if from inside of it."""
    process = site.docker("inspect", "--format", "{{.State.Pid}}", site.container(service))
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listening:
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                _enter(f"/proc/{process}/ns/net")
                _forward(listening, port)
            os._exit(1)
        try:
            yield listening.getsockname()[1]
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _enter(namespace: str) -> None:
    """Enter a network namespace: sockets that are here already stay where they are."""
    with open(namespace) as file:  # noqa: PTH123 - Path.open does the same
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def _forward(listening: socket.socket, port: int) -> None:
    while True:
        near, _ = listening.accept()
        threading.Thread(target=_join, args=(near, port), daemon=True).start()


def _join(near: socket.socket, port: int) -> None:
    with near, contextlib.suppress(OSError):
        far = socket.create_connection(("127.0.0.1", port))
        with far:
            back = threading.Thread(target=_copy, args=(far, near), daemon=True)
            back.start()
            _copy(near, far)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
