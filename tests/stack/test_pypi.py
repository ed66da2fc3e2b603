"""The package index: pip and uv in servers, with upstream and without, and groups' own packages."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from notehive.pypi.page import JSON
from tests.images.wheel import wheel
from tests.support.hub import User, user
from tests.support.outside import Outside, outside
from tests.support.packages import upload_form
from tests.support.site import Answer, Site, changed, docker, fetch

TEAM, GUILD = "lab", "guild"  # of the tests' settings; GUILD shares with everyone
PORT = 8000
TINY, OTHER = "upstream_tiny", "upstream_other"


def sh(someone: User, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in the user's server, as in a terminal of JupyterLab but without a token."""
    container = someone.site.container(someone.service)
    return subprocess.run(
        ["/usr/bin/docker", "exec", container, "sh", "-c", script], capture_output=True, text=True
    )


def done(someone: User, script: str) -> str:
    """Run a script that must succeed; give what it said."""
    ran = sh(someone, script)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def send(someone: User, group: str, name: str, version: str = "1.0", answer: int = 42) -> Answer:
    """Upload a wheel."""
    form, kind = upload_form(name, version, answer)
    headers = {"Authorization": f"Bearer {someone.token}", "Content-Type": kind}
    return fetch(someone.site, f"/pypi/{group}/", method="POST", headers=headers, body=form)


def status(someone: User, path: str) -> int:
    """Ask for something with the user's token; give the status."""
    headers = {"Authorization": f"Bearer {someone.token}", "Accept": JSON}
    return fetch(someone.site, f"/pypi{path}", headers=headers).status


@pytest.fixture(scope="module")
def pia(site: Site) -> Iterator[User]:
    """A member of TEAM, with a server."""
    with user(site, "pia", "--group", TEAM) as pia:
        pia.start(image="base", size="small")
        yield pia


@pytest.fixture(scope="module")
def gil(site: Site) -> Iterator[User]:
    """A member of GUILD, with a server."""
    with user(site, "gil", "--group", GUILD) as gil:
        gil.start(image="base", size="small")
        yield gil


def test_pip_and_uv_use_it_without_being_told(site: Site, pia: User) -> None:
    said = done(pia, "pip install --user --no-cache-dir --force-reinstall six")
    token = docker("exec", site.container(pia.service), "cat", "/run/secrets/jupyterhub-token")
    assert f"{site.url.partition('://')[2]}/pypi/simple/" in said
    assert token not in said
    said = done(pia, "uv -v pip install --no-cache --target /tmp/uv six")
    assert f"{site.url}/pypi/simple/six/" in said
    assert token not in said
    assert token not in done(pia, "env"), "a terminal's environment, without the entrypoint"
    done(pia, "uv venv --seed --clear /tmp/v && /tmp/v/bin/pip install --no-cache-dir six")
    done(pia, "python3 -c 'import six'; PYTHONPATH=/tmp/uv python3 -c 'import six'")


def test_a_user_may_choose_another_index(pia: User) -> None:
    script = "pip config set global.index-url http://elsewhere.invalid/simple && pip config list"
    assert "elsewhere" in done(pia, f"{script}; pip config unset global.index-url")


def index_of(place: Path, name: str, answer: int = 42) -> None:
    """Have a project in an index of plain files."""
    folder = place / "simple" / name.replace("_", "-")
    folder.mkdir(parents=True)
    file = f"{name}-1.0-py3-none-any.whl"
    (folder / file).write_bytes(wheel(name, "1.0", answer))
    (folder / "index.html").write_text(f'<a href="{file}">{file}</a>')


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an index upstream of the tests' own has."""
    place = tmp_path_factory.mktemp("upstream")
    index_of(place, TINY)
    index_of(place, OTHER)
    return place


def mirror(machine: Outside) -> dict[str, str]:
    """Give the setting for an index on that machine, with a login."""
    return {"pypi": f"http://me:hush-hush@{machine.address}:{PORT}/simple/"}


def test_with_upstream_cut_what_is_here_still_installs(
    site: Site, pia: User, upstream: Path
) -> None:
    install = "rm -rf /tmp/t && pip install --no-cache-dir --target /tmp/t"
    uv = "rm -rf /tmp/t && uv pip install --no-cache --target /tmp/t"
    check = f"PYTHONPATH=/tmp/t python3 -c 'import {TINY}'"
    with ExitStack() as stack:
        with outside(PORT, directory=upstream) as machine:
            stack.enter_context(changed(site, mirrors=mirror(machine)))
            done(pia, f"{install} upstream-tiny && {check}")
        done(pia, f"{install} upstream-tiny && {check}")
        done(pia, f"{uv} upstream-tiny && {check}")
        assert sh(pia, f"{install} upstream-other").returncode != 0, "it was never here"
        for service in site.services():
            assert "hush-hush" not in docker("service", "inspect", service)


def test_own_packages_are_a_groups_and_go_before_upstreams(pia: User, gil: User) -> None:
    assert send(pia, TEAM, "six", "0.1", 43).status == 200
    try:
        check = "PYTHONPATH=/tmp/t python3 -c 'import six; print(six.answer)'"
        for tool in ("pip install --no-cache-dir", "uv pip install --no-cache"):
            done(pia, f"rm -rf /tmp/t && {tool} --target /tmp/t six")
            assert done(pia, check).strip() == "43"
            assert sh(pia, f"{tool} --target /tmp/t 'six>1'").returncode != 0, "not mixed"
            done(gil, f"rm -rf /tmp/t && {tool} --target /tmp/t 'six>1'")
        assert status(gil, f"/{TEAM}/simple/six/") == 404
        assert status(gil, f"/{TEAM}/simple/six/six-0.1-py3-none-any.whl") == 404
        assert send(gil, TEAM, "six", "0.2").status == 404
    finally:
        headers = {"Authorization": f"Bearer {pia.token}"}
        gone = fetch(pia.site, f"/pypi/{TEAM}/simple/six/", method="DELETE", headers=headers)
        assert gone.status == 204


def test_uv_publishes_from_a_server(site: Site, gil: User, pia: User) -> None:
    name = f"published_{uuid4().hex[:8]}"
    file = f"/tmp/{name}-1.0-py3-none-any.whl"
    copy = ("exec", "--interactive", site.container(gil.service), "tee", file)
    subprocess.run(["/usr/bin/docker", *copy], input=wheel(name), check=True, capture_output=True)
    token = '"$(cat /run/secrets/jupyterhub-token)"'
    done(gil, f"uv publish --publish-url {site.url}/pypi/{GUILD}/ --token {token} {file}")
    done(gil, f"pip install --no-cache-dir --target /tmp/own {name}")
    # Others name the group's index: what it has is not in their own.
    assert sh(pia, f"pip install --no-cache-dir --target /tmp/own {name}").returncode != 0
    index = f"$(sed -n 's,^index-url = ,,; s,/simple/,/{GUILD}/simple/,p' /etc/pip.conf)"
    done(pia, f"pip install --no-cache-dir --target /tmp/own --index-url {index} {name}")


@pytest.mark.parametrize("path", ["/pypi/simple/six/", "/pypi/simple/", f"/pypi/{GUILD}/simple/"])
def test_nobody_gets_anything(site: Site, path: str) -> None:
    assert fetch(site, path, headers={"Accept": JSON}).status == 401
    named = {"X-Notehive-User": "pia", "X-Notehive-Edits": TEAM, "X-Notehive-Key": "0" * 64}
    assert fetch(site, path, headers=named).status == 401


def test_a_large_wheel_passes_through(site: Site, pia: User) -> None:
    """What is sent and given is not kept in the memory of the index, nor of Nginx."""
    name = f"large_{uuid4().hex[:8]}"
    script = f"""
import zipfile
with zipfile.ZipFile('/tmp/{name}-1.0-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('{name}-1.0.dist-info/METADATA',
                   'Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n')
    wheel.writestr('{name}-1.0.dist-info/WHEEL',
                   'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    with wheel.open('{name}.bin', 'w') as large:
        for _ in range(400):
            large.write(bytes(2**20))
    wheel.writestr('{name}-1.0.dist-info/RECORD', '')
"""
    token = '"$(cat /run/secrets/jupyterhub-token)"'
    url = f"{site.url}/pypi/{TEAM}/"
    done(pia, f"python3 - <<'END'\n{script}\nEND")
    file = f"/tmp/{name}-1.0-py3-none-any.whl"
    done(pia, f"uv publish --publish-url {url} --token {token} {file}")
    done(pia, f"pip download --no-cache-dir --no-deps -d /tmp/got {name} && cmp {file} /tmp/got/*")
    for service in ("pypi", "nginx"):
        assert peak(site, service) < 200 * 2**20, service
    done(pia, f"rm -rf {file} /tmp/got")
    headers = {"Authorization": f"Bearer {pia.token}"}
    path = f"/pypi/{TEAM}/simple/{name.replace('_', '-')}/"
    assert fetch(site, path, method="DELETE", headers=headers).status == 204


def peak(site: Site, service: str) -> int:
    """Give the most memory (bytes) that a process of a service has had."""
    script = "grep -h VmHWM /proc/[0-9]*/status"
    rows = site.exec(service, "sh", "-c", script).splitlines()
    return max(int(row.split()[1]) * 1024 for row in rows)
