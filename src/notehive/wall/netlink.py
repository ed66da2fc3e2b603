"""The kernel's own interface to a network namespace: its links and their addresses.

A question is asked of the namespace in which the calling thread is.
"""

import ipaddress
import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv6Interface

# From linux/rtnetlink.h and linux/if_link.h.
LINKS, ADDRESSES4, ADDRESSES6 = 0x1, 0x10, 0x100  # groups of news
ERROR, DONE = 2, 3
NEW_LINK, GET_LINK, SET_LINK, NEW_ADDRESS, GET_ADDRESS = 16, 18, 19, 20, 22
REQUEST, ACKNOWLEDGE, DUMP = 0x1, 0x4, 0x300
ADDRESS, LOCAL, ALIAS = 1, 2, 20  # attributes
LOOPBACK = 1  # index of `lo` in every namespace
HEADER = struct.Struct("=IHHII")  # length, kind, flags, sequence, port
LINK = struct.Struct("=BxHiII")  # family, type, index, flags, change
ADDRESS_HEAD = struct.Struct("=BBBBI")  # family, length of prefix, flags, scope, index
ATTRIBUTE = struct.Struct("=HH")  # length, kind
BUFFER = 1 << 16


def news() -> socket.socket:
    """Give a socket that can be read whenever a link or an address of the namespace changes."""
    found = _open()
    found.bind((0, LINKS | ADDRESSES4 | ADDRESSES6))
    found.setblocking(False)
    return found


def drain(found: socket.socket) -> None:
    """Read what has come to a socket of `news`; what it is does not matter."""
    try:
        while found.recv(BUFFER):
            pass
    except BlockingIOError:
        pass
    except OSError:  # more came than there was room for
        pass


def addresses() -> list[tuple[int, IPv4Interface | IPv6Interface]]:
    """Give the namespace's addresses with their networks, each after its interface's index."""
    found = []
    for body in _ask(GET_ADDRESS, DUMP, ADDRESS_HEAD.pack(0, 0, 0, 0, 0)):
        _, prefix, _, _, index = ADDRESS_HEAD.unpack_from(body)
        attributes = _attributes(body[ADDRESS_HEAD.size :])
        # A tunnel's ADDRESS is that of its other end.
        raw = attributes.get(LOCAL) or attributes[ADDRESS]
        found.append((index, ipaddress.ip_interface((raw, prefix))))
    return found


def alias() -> str:
    """Give the alias of the loopback interface; nothing if it has none."""
    for body in _ask(GET_LINK, 0, LINK.pack(0, 0, LOOPBACK, 0, 0)):
        return _attributes(body[LINK.size :]).get(ALIAS, b"").rstrip(b"\0").decode()
    return ""


def set_alias(text: str) -> None:
    """Give the loopback interface an alias. Raises OSError where that is not allowed."""
    value = text.encode()
    attribute = ATTRIBUTE.pack(ATTRIBUTE.size + len(value), ALIAS) + value
    for _ in _ask(SET_LINK, ACKNOWLEDGE, LINK.pack(0, 0, LOOPBACK, 0, 0) + attribute):
        pass


def _open() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)


def _ask(kind: int, flags: int, body: bytes) -> Iterator[bytes]:
    """Yield the bodies of the kernel's answers."""
    with _open() as connection:
        size = HEADER.size + len(body)
        connection.send(HEADER.pack(size, kind, REQUEST | flags, 1, 0) + body)
        while True:
            data = memoryview(connection.recv(BUFFER))
            while data:
                size, kind, _, _, _ = HEADER.unpack_from(data)
                answer = bytes(data[HEADER.size : size])
                if kind == ERROR and (code := struct.unpack_from("=i", answer)[0]):
                    raise OSError(-code, "netlink")
                if kind in (ERROR, DONE):
                    return
                yield answer
                data = data[_aligned(size) :]
            if not flags & (DUMP | ACKNOWLEDGE):
                return


def _attributes(data: bytes) -> dict[int, bytes]:
    found = {}
    while len(data) >= ATTRIBUTE.size:
        size, kind = ATTRIBUTE.unpack_from(data)
        found[kind] = data[ATTRIBUTE.size : size]
        data = data[_aligned(size) :]
    return found


def _aligned(size: int) -> int:
    return (size + 3) & ~3
