"""What the platform's services are called, and where they are now: asked of Docker's own DNS.

It answers at 127.0.0.11 in the namespace of each container on an overlay network, and knows the
services that the container shares a network with.
"""

import ipaddress
import select
import socket
import struct
import time
from collections.abc import Iterable

SERVER = ("127.0.0.11", 53)
SECONDS = 0.3  # for all answers; the engine gives its own within two milliseconds
HEADER = struct.Struct("!HHHHHH")  # id, flags, questions, answers, authorities, additional
RECORD = struct.Struct("!HHIH")  # kind, class, time to live, length
RECURSION, ADDRESS, INTERNET = 0x0100, 1, 1


def ask(names: Iterable[str]) -> dict[str, set[str]]:
    """Give the IPv4 addresses of those of the names that were answered, be it with none.

    The engine sends what it does not know on to the node's name servers, which may be silent.
    """
    asked = dict(enumerate(names, 1))
    found: dict[str, set[str]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.connect(SERVER)
        for number, name in asked.items():
            connection.send(question(number, name))
        deadline = time.monotonic() + SECONDS
        while len(found) < len(asked) and (left := deadline - time.monotonic()) > 0:
            if select.select([connection], [], [], left)[0]:
                number, addresses = answer(connection.recv(4096))
                if number in asked:
                    found[asked[number]] = addresses
    return found


def question(number: int, name: str) -> bytes:
    """Give the packet that asks for the addresses of a name."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    head = HEADER.pack(number, RECURSION, 1, 0, 0, 0)
    return head + labels + b"\0" + struct.pack("!HH", ADDRESS, INTERNET)


def answer(packet: bytes) -> tuple[int, set[str]]:
    """Give the number of a question and the addresses that its answer holds."""
    number, _, questions, answers, _, _ = HEADER.unpack_from(packet)
    place, found = HEADER.size, set()
    for _ in range(questions):
        place = _after_name(packet, place) + 4
    for _ in range(answers):
        place = _after_name(packet, place)
        kind, _, _, length = RECORD.unpack_from(packet, place)
        place += RECORD.size
        if kind == ADDRESS:
            found.add(str(ipaddress.IPv4Address(packet[place : place + length])))
        place += length
    return number, found


def _after_name(packet: bytes, place: int) -> int:
    while (size := packet[place]) != 0:
        if size >= 0xC0:  # the rest of the name stands elsewhere
            return place + 2
        place += size + 1
    return place + 1
