"""Who the user is in a container, and what of the home lasts."""

import json
from typing import Any

from .containers import Containers
from .wheel import FILE, NAME, wheel

HOME = "/home/jovyan"


def notebook(*sources: str) -> bytes:
    """A notebook of these code cells."""
    cell: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
    }
    cells = [{**cell, "id": f"cell-{i}", "source": source} for i, source in enumerate(sources)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel}
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content).encode()


def test_unprivileged(image: str, containers: Containers) -> None:
    container = containers.idle(image)
    assert container.sh("id") == "uid=1000(jovyan) gid=100(users) groups=100(users)"
    assert container.sh("pwd; echo $HOME; echo $SHELL") == f"{HOME}\n{HOME}\n/bin/bash"
    assert container.sh("grep CapEff /proc/self/status").split() == ["CapEff:", "0000000000000000"]
    assert container.sh("find / -xdev -type f -perm /6000 2>/dev/null || true") == ""
    assert container.sh("command -v sudo || echo none") == "none"
    writable = "-writable -not -type l -not -perm -1000"
    assert container.sh(f"find /etc /opt /usr /srv /var {writable} 2>/dev/null || true") == ""


def test_pip_install_lasts(image: str, containers: Containers) -> None:
    home = ("--volume", f"{containers.volume()}:{HOME}")
    use = f"import {NAME}; print({NAME}.answer, {NAME}.__file__)"

    first = containers.idle(image, *home)
    first.write(f"/opt/{FILE}", wheel())
    first.write("/opt/install.ipynb", notebook(f"%pip install --no-index /opt/{FILE}", use))
    first.sh("populate-home && papermill --log-output /opt/install.ipynb /tmp/done.ipynb")

    second = containers.idle(image, *home)
    assert second.python(use).startswith(f"42 {HOME}/.local/lib/")
    second.write("/opt/use.ipynb", notebook(use))
    assert f"42 {HOME}/.local/lib/" in second.sh("papermill /opt/use.ipynb - 2>/dev/null")


def test_home_is_populated_once(image: str, containers: Containers) -> None:
    home = ("--volume", f"{containers.volume()}:{HOME}")
    first = containers.idle(image, *home)
    assert first.sh("ls -A") == ""
    first.sh("echo mine > .profile; populate-home")
    assert first.sh("cat .profile") == "mine"
    assert first.sh("cmp .bashrc /etc/skel/.bashrc && stat --format %U .bashrc") == "jovyan"
    first.sh("rm .bashrc .profile")

    second = containers.idle(image, *home)
    assert second.sh("populate-home; ls .bashrc .profile 2>/dev/null || echo gone") == "gone"


def test_a_link_leads_to_shared_folders(image: str, containers: Containers) -> None:
    """For those who have some; whoever deletes it is not given it again."""
    home = ("--volume", f"{containers.volume()}:{HOME}")
    assert containers.idle(image, *home).sh("populate-home; ls -d shared || echo none") == "none"
    with_some = containers.idle(image, *home, "--tmpfs", "/shared/lab:uid=1000")
    with_some.sh("populate-home; echo ours > shared/lab/file")
    assert with_some.sh("cat /shared/lab/file") == "ours"
    with_some.sh("rm shared; populate-home; test ! -e shared")


def test_another_image_gives_what_is_new(
    base: str, datascience: str, containers: Containers
) -> None:
    home = ("--volume", f"{containers.volume()}:{HOME}")
    containers.idle(base, *home).sh("populate-home; test ! -e Welcome.ipynb; rm .bashrc")
    container = containers.idle(datascience, *home)
    assert container.sh("populate-home; ls .bashrc Welcome.ipynb 2>/dev/null || true") == (
        "Welcome.ipynb"
    )


def test_git_defaults(image: str, containers: Containers) -> None:
    container = containers.idle(image)
    assert container.sh("git config --system init.defaultBranch") == "main"
    container.sh("git init project && cd project && git lfs track '*.parquet'")
    assert container.sh("cd project && git branch --show-current") == "main"
    assert container.sh("git config filter.lfs.required") == "true"
