"""What lies in the images, and what must not."""

import re

from .containers import Containers, docker

NOT_COMPILED = """
import importlib.util, pathlib, struct, sysconfig

def compiled(source):
    cache = pathlib.Path(importlib.util.cache_from_source(str(source)))
    if not cache.exists():
        return False
    flags, mtime, size = struct.unpack("<3I", cache.read_bytes()[4:16])
    stat = source.stat()
    return flags != 0 or (mtime, size) == (int(stat.st_mtime), stat.st_size)

def is_python(source):  # templates and tests of syntax errors are not
    try:
        compile(source.read_bytes(), str(source), "exec")
    except (SyntaxError, ValueError):
        return False
    return True

for folder in {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")}:
    for source in pathlib.Path(folder).rglob("*.py"):
        if not compiled(source) and is_python(source):
            print(source)
"""


def test_every_python_file_is_compiled(image: str, containers: Containers) -> None:
    assert containers.idle(image).python(NOT_COMPILED) == ""


def test_requirements_agree(image: str, containers: Containers) -> None:
    found = containers.idle(image).sh("pip check || true").splitlines()
    # Left out on purpose; pyproject.toml says why.
    assert [re.sub(r" [\d.]+ ", " ", line) for line in found] == [
        "jupyterhub requires aiodns, which is not installed."
    ]


def test_no_mirror_in_the_image(image: str, containers: Containers) -> None:
    history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image)
    assert "://" not in history
    assert "://" not in docker("inspect", "--format", "{{.Config.Env}}", image)
    root = containers.idle(image, "--user", "root")
    places = "/root/.cache /root/.config /root/.netrc /run/secrets /tmp /etc/pip.conf /etc/uv"
    assert root.sh(f"find {places} -type f 2>/dev/null || true") == ""


def test_no_gpu_packages(image: str, containers: Containers) -> None:
    packages = containers.idle(image).sh("pip list --format=freeze")
    assert "nvidia" not in packages
    assert "torch" not in packages
