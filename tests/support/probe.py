"""What code finds that runs while a package is built: a program for `Index.add_source`."""

import json
from collections.abc import Iterable
from typing import Any

MARK = "PROBE "
PLANTED = "5eed" * 16  # as long as a secret of ours: what is searched for can be found
PROGRAM = """
import contextlib, glob, json, os, re, socket, stat, sys

told = json.loads({told!r})
found = {{"uid": os.getuid(), "opened": [], "answers": {{}}, "sockets": []}}
for host, port in told["addresses"]:
    with contextlib.suppress(OSError):
        socket.create_connection((host, port), 1).close()
        found["opened"].append([host, port])
status = open("/proc/self/status").read()
for key in ("CapEff", "CapBnd", "NoNewPrivs"):
    found[key] = re.search(key + r":\\s*(\\S+)", status)[1]
found["links"] = re.findall(r"^ *(\\S+):", open("/proc/net/dev").read(), re.M)

secrets = set()
def search(path):
    with contextlib.suppress(OSError):
        if os.path.getsize(path) < 1 << 20:
            text = open(path, errors="replace").read(1 << 20)
            secrets.update(re.findall("(?<![0-9a-f])[0-9a-f]{{64}}(?![0-9a-f])", text))

planted = "/tmp/planted"
open(planted, "w").write(told["planted"])
for root in ("/run", "/tmp", "/etc", "/home", "/opt", "/root", "/srv", "/var", "/mnt", "/dev/shm"):
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            with contextlib.suppress(OSError):
                mode = os.lstat(path).st_mode
                if stat.S_ISSOCK(mode):
                    found["sockets"].append(path)
                elif stat.S_ISREG(mode):
                    search(path)
for kind in ("environ", "cmdline", "mountinfo"):
    for path in glob.glob("/proc/[0-9]*/" + kind):
        with contextlib.suppress(OSError):
            secrets.update(re.findall("[0-9a-f]{{64}}", open(path, errors="replace").read()))
found["secrets"] = len(secrets)
found["known"] = sorted(secrets & {{told["planted"]}})

for line in told["requests"]:
    with socket.socket(socket.AF_UNIX) as door:
        door.connect("/run/notehive-door/socket")
        door.settimeout(5)
        door.sendall((line + " HTTP/1.0\\r\\n\\r\\n").encode())
        found["answers"][line] = door.recv(4096).split()[1].decode()

print({mark!r} + json.dumps(found), file=sys.stderr)
for each in sorted(secrets):
    print({mark!r} + json.dumps(each), file=sys.stderr)
raise SystemExit("that was all")
"""


def program(addresses: Iterable[tuple[str, int]], requests: Iterable[str]) -> str:
    """Give the program: it connects to addresses, and asks the door."""
    told = {"addresses": list(addresses), "requests": list(requests), "planted": PLANTED}
    return PROGRAM.format(told=json.dumps(told), mark=MARK)


def report(log: str) -> tuple[dict[str, Any], set[str]]:
    """Give what a build's log has of the report: facts, and what looked like a secret."""
    lines = [json.loads(line.partition(MARK)[2]) for line in log.splitlines() if MARK in line]
    facts = next(each for each in lines if isinstance(each, dict))
    return facts, {each for each in lines if isinstance(each, str)}
