"""Certificates of an authority that nobody else knows."""

from pathlib import Path

from tests.support.site import run


def make(directory: Path, host: str) -> None:
    """Make ``ca.crt``, and ``server.crt`` and ``server.key`` of a server with this address."""
    at = {name: str(directory / name) for name in ("ca.key", "ca.crt", "server.key", "server.crt")}
    new = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    authority = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    run(*new, "-subj", "/CN=tests", "-keyout", at["ca.key"], "-out", at["ca.crt"], *authority)
    run(
        *(*new, "-subj", "/CN=server", "-keyout", at["server.key"], "-out", at["server.crt"]),
        *("-addext", f"subjectAltName=IP:{host}", "-addext", "basicConstraints=critical,CA:FALSE"),
        *("-CA", at["ca.crt"], "-CAkey", at["ca.key"]),
    )
    for path in at.values():
        Path(path).chmod(0o644)  # the server in the container is not root
