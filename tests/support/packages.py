"""Packages as clients send them."""

from uuid import uuid4

from tests.images.wheel import wheel


def upload_form(name: str, version: str, answer: int = 42) -> tuple[bytes, str]:
    """Give the form that uploads a wheel, and its type."""
    boundary = uuid4().hex
    filename = f"{name}-{version}-py3-none-any.whl"
    parts = (
        ('name=":action"', b"file_upload"),
        ('name="name"', name.encode()),
        (f'name="content"; filename="{filename}"', wheel(name, version, answer)),
    )
    form = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {of}\r\n\r\n".encode() + data + b"\r\n"
        for of, data in parts
    )
    return form + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
