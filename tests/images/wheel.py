"""A tiny package to install, so that no test needs a package index."""

import zipfile
from io import BytesIO

NAME = "notehive_tiny"
FILE = f"{NAME}-1.0-py3-none-any.whl"


def wheel() -> bytes:
    """A wheel of one module that holds `answer = 42`."""
    info = f"{NAME}-1.0.dist-info"
    files = {
        f"{NAME}.py": "answer = 42\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return content.getvalue()
