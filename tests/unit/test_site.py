"""What the operator's site adds to images: certificates, mirrors, Debian."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from notehive import docker, shell
from notehive.errors import BadInput
from notehive.platform import debian, images, machine, site
from notehive.settings import Mirrors, Settings, parse

CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"


def test_the_bundle_of_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "ca.crt"
    path.write_bytes(CERTIFICATE)
    assert site.ca_bundle(parse(f"ca_bundle: {path}")) == CERTIFICATE


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory"),
        (b"\x30\x82 as DER", "holds no certificate in PEM form"),
        (b"", "is empty"),
    ],
)
def test_bundles_that_are_none(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.crt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput) as raised:
        site.ca_bundle(parse(f"ca_bundle: {path}"))
    assert str(raised.value) == f"ca_bundle: {path}: {message}"


def test_the_machines_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundles = tmp_path / "debian.crt", tmp_path / "fedora.crt"
    monkeypatch.setattr(site, "MACHINE_BUNDLES", bundles)
    with pytest.raises(BadInput, match=r"^ca_bundle: .* install ca-certificates, or name a file$"):
        site.ca_bundle(Settings())
    bundles[1].write_bytes(CERTIFICATE)
    assert site.ca_bundle(Settings()) == CERTIFICATE


def test_the_base_image_copies_all_files_of_the_site() -> None:
    base = images.tree(Path(__file__).resolve().parents[2])["base"]
    copied = {name for name in base.inputs if name.startswith(".site/")}
    assert copied == set(site.base_files(Settings()))


def test_build_secret_is_shell_whatever_is_in_an_address() -> None:
    index = "https://me:it's$HOME`id`&x@mirror/simple"
    made = site.build_secret(Settings(mirrors=Mirrors(pypi=index, npm="https://npm")))
    shown = 'printf "%s|" "$PIP_INDEX_URL" "$UV_DEFAULT_INDEX" "$npm_config_registry"'
    done = subprocess.run(
        ["env", "-i", "sh", "-c", made + shown], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{index}|{index}|https://npm|"


def test_build_secret_without_mirrors_sets_nothing() -> None:
    """An empty PIP_INDEX_URL would be an index."""
    assert site.build_secret(Settings()) == ""


def stanzas(text: str) -> list[dict[str, str]]:
    return [dict(re.findall(r"^([\w-]+): (.+)$", part, re.M)) for part in text.split("\n\n")]


@pytest.mark.parametrize(
    ("mirrors", "security"),
    [
        (Mirrors(apt="http://m/debian/"), "http://m/debian-security"),
        (Mirrors(apt="http://m/debian", apt_security="http://s/sec/"), "http://s/sec"),
    ],
)
def test_apt_sources(mirrors: Mirrors, security: str) -> None:
    found = stanzas(debian.apt_sources(mirrors))
    assert [(s["URIs"], s["Suites"]) for s in found] == [
        ("http://m/debian", "trixie trixie-updates"),
        (security, "trixie-security"),
    ]
    for stanza in found:
        assert stanza["Types"] == "deb"
        assert stanza["Components"] == "main"
        assert stanza["Signed-By"].startswith("/usr/share/keyrings/")


def test_without_mirrors_apt_stays_as_it_is() -> None:
    assert debian.apt_sources(Mirrors()) == ""


class StandInMachine:
    """A stand-in for the running of commands: answers by the first words, notes what was asked."""

    def __init__(self, answers: Mapping[str, shell.Result]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def run(self, args: Sequence[str], **options: Any) -> shell.Result:
        command = " ".join(args)
        self.asked.append(command)
        for begin, result in self.answers.items():
            if command.startswith(begin):
                if result.code and options.get("check", True):
                    raise shell.CommandError(args, result)
                return result
        return shell.Result(0, "", "")


@pytest.fixture(autouse=True)
def plain_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "client", lambda: "docker")


def use(monkeypatch: pytest.MonkeyPatch, **answers: shell.Result) -> StandInMachine:
    stand_in = StandInMachine({key.replace("_", " "): value for key, value in answers.items()})
    monkeypatch.setattr(shell, "run", stand_in.run)
    return stand_in


NO_IMAGE = shell.Result(1, "[]", "Error: No such image: notehive/debian:trixie")
NO_PULL = shell.Result(1, "", "trying\nError response from daemon: no route to host\n")
TARGETS = (
    "Debian|http://mirror/debian/\n"
    "Debian|http://second/debian/\n"
    "Debian-Security|http://mirror/security/\n"
    "Docker CE|http://elsewhere/\n"
)


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (TARGETS, ("http://mirror/debian", "http://mirror/security")),
        ("Debian|http://m/debian\n", ("http://m/debian", "http://m/debian-security")),
    ],
)
def test_the_machines_own_mirrors(
    listed: str, expected: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "run", lambda args, **options: shell.Result(0, listed, ""))
    assert debian.sources(Mirrors()) == expected


def test_a_machine_without_debian_mirrors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        shell, "run", lambda args, **options: shell.Result(0, "Ubuntu|http://u/ubuntu/\n", "")
    )
    with pytest.raises(BadInput, match=r"set mirrors\.docker or mirrors\.apt$"):
        debian.sources(Mirrors())
    assert debian.sources(Mirrors(apt="http://m/debian")) == (
        "http://m/debian",
        "http://m/debian-security",
    )


@pytest.mark.parametrize(
    ("mirror", "source"),
    [
        ("", "debian:trixie-slim"),
        ("reg.example.com/hub/", "reg.example.com/hub/debian:trixie-slim"),
    ],
)
def test_debian_is_pulled_under_our_name(
    mirror: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = use(monkeypatch, docker_image_inspect=NO_IMAGE)
    said = debian.ensure(Mirrors(docker=mirror), tmp_path / "log", lambda text: None)
    assert said == f"pulled {source}"
    assert engine.asked[1:] == [
        f"docker pull --quiet {source}",
        f"docker tag {source} notehive/debian:trixie",
    ]


def test_debian_is_pulled_once_or_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = use(monkeypatch, docker_image_inspect=shell.Result(0, '[{"Id": "sha256:1"}]', ""))
    assert debian.ensure(Mirrors(), tmp_path / "log", lambda text: None) == ""
    assert len(engine.asked) == 1
    debian.ensure(Mirrors(), tmp_path / "log", lambda text: None, renew=True)
    assert "docker pull --quiet debian:trixie-slim" in engine.asked


def test_debian_cannot_be_pulled_nor_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, docker_image_inspect=NO_IMAGE, docker_pull=NO_PULL)
    monkeypatch.setattr(machine, "is_debian_like", lambda: False)
    with pytest.raises(BadInput) as raised:
        debian.ensure(Mirrors(), tmp_path / "log", lambda text: None)
    assert str(raised.value) == (
        "debian:trixie-slim: cannot be pulled (Error response from daemon: no route to host); "
        "set mirrors.docker to a registry that has it"
    )
