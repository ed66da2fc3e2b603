"""Files that settings.yml names: what they hold, or an error with the key that names them."""

from pathlib import Path
from typing import Literal

from notehive.errors import BadInput

BEGINNINGS = {"certificate": b"-----BEGIN CERTIFICATE-----", "private key": b"PRIVATE KEY-----"}


def read(key: str, path: str) -> bytes:
    """Give the content of a file; raise BadInput if there is none."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise BadInput(f"{key}: {path}: {error.strerror}") from None
    if not content.strip():
        raise BadInput(f"{key}: {path}: is empty")
    return content


def read_line(key: str, path: str) -> str:
    """Give the text of a file without the newline at its end: a password."""
    try:
        return read(key, path).decode().rstrip("\n")
    except UnicodeDecodeError:
        raise BadInput(f"{key}: {path}: is not UTF-8 text") from None


def read_pem(key: str, path: str, kind: Literal["certificate", "private key"]) -> bytes:
    """Give the content of a file that holds something of this kind, as PEM."""
    content = read(key, path)
    if BEGINNINGS[kind] not in content:
        raise BadInput(f"{key}: {path}: holds no {kind} in PEM form")
    return content
