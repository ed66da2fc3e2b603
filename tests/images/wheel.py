"""A tiny package to install, so that no test needs a package index."""

import zipfile
from io import BytesIO

NAME = "notehive_tiny"
FILE = f"{NAME}-1.0-py3-none-any.whl"


def wheel(name: str = NAME, version: str = "1.0", answer: int = 42) -> bytes:
    """A wheel of one module that holds `answer = 42`."""
    info = f"{name}-{version}.dist-info"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: >=3.9\n"
    files = {
        f"{name}.py": f"answer = {answer}\n",
        f"{info}/METADATA": about,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(zipfile.ZipInfo(path), text)  # of no time: always the same bytes
    return content.getvalue()
