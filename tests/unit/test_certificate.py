"""The site's certificate: where it comes from, and what an operator is told about it."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from notehive import docker, shell
from notehive.errors import BadInput, NotehiveError
from notehive.platform import acme, certificate, place, self_signed
from notehive.platform.greeting import DistrustError, Greeting
from notehive.settings import Settings, parse
from tests.support.authority import Authority, Pair

HOST = "workbench.example.com"
SCRIPT = Path(__file__).resolve().parents[2] / "nginx/self-signed"


@pytest.fixture(autouse=True)
def of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `up` writes goes elsewhere."""
    monkeypatch.setattr(place, "ROOT", tmp_path)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def pair(authority: Authority) -> Pair:
    return authority.issue(HOST)


def with_files(pair: Pair, authority: Authority | None, host: str = HOST) -> Settings:
    known = f", authority: {authority.file}" if authority else ""
    tls = f"{{kind: files, certificate: {pair.certificate}, key: {pair.key}{known}}}"
    return parse(f"url: https://{host}\ntls: {tls}")


# Whether it is good


def complaint(settings: Settings) -> str:
    with pytest.raises(BadInput) as raised:
        certificate.check(settings)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_good_one(pair: Pair, authority: Authority) -> None:
    assert certificate.check(with_files(pair, authority)).startswith("good until 20")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("", "none: plain http"),
        ("url: https://x", "none: a proxy of yours has it"),
        ("tls: self-signed", "self-signed"),
        (
            "{url: 'https://a.b', tls: {kind: acme, server: 'https://ca/dir'}}",
            "from https://ca/dir",
        ),
    ],
)
def test_where_it_comes_from(settings: str, said: str) -> None:
    assert certificate.check(parse(settings)) == said


def test_with_subdomains_it_has_to_be_good_for_them(authority: Authority) -> None:
    for names, said in (((HOST,), f"not valid for '*.{HOST}'"), ((HOST, f"*.{HOST}"), "")):
        settings = with_files(authority.issue(*names), authority)
        settings = settings.model_copy(update={"subdomains": True})
        if said:
            assert said in complaint(settings)
        else:
            assert certificate.check(settings).startswith("good until")


def test_a_file_that_is_not_there(pair: Pair, authority: Authority) -> None:
    for key, kind in (("certificate", "certificate"), ("key", "private key")):
        file = getattr(pair, key)
        content = file.read_bytes()
        file.unlink()
        said = complaint(with_files(pair, authority))
        assert said == f"tls.{key}: {file}: No such file or directory"
        file.write_bytes(b"\x30\x82 as DER")
        said = complaint(with_files(pair, authority))
        assert said == f"tls.{key}: {file}: holds no {kind} in PEM form"
        file.write_bytes(content)
    settings = with_files(pair, authority)
    authority.file.unlink()
    assert complaint(settings).startswith(f"tls.authority: {authority.file}: No such file")


def test_a_key_that_everybody_reads(pair: Pair, authority: Authority) -> None:
    pair.key.chmod(0o644)
    remedy = f"everybody can read it; `chmod o= {pair.key}`"
    assert complaint(with_files(pair, authority)) == f"tls.key: {pair.key}: {remedy}"


def test_one_of_an_authority_that_nobody_knows(pair: Pair) -> None:
    said = complaint(with_files(pair, None))
    assert said.startswith(f"tls.certificate: {pair.certificate}: unable to get local issuer")
    assert said.endswith("or name a private authority with tls.authority:")


def test_one_of_another_name(pair: Pair, authority: Authority) -> None:
    said = complaint(with_files(pair, authority, "other.example.com"))
    assert "is not valid for 'other.example.com'" in said
    assert said.endswith("; renew it, or correct url: or the files")


# What is wrong with the one that is served


class Served:
    """A stand-in for the port of the site: its certificate ends in so many days."""

    def __init__(self, authority: Authority, monkeypatch: pytest.MonkeyPatch, days: float) -> None:
        pair = authority.issue(HOST, days=days)
        monkeypatch.setattr(
            Greeting, "with_port", lambda self, port: self.with_files(pair.certificate, pair.key)
        )


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (15, []),
        (13.5, ["tls: the certificate ends in 13 days; renew the files, then `./notehive up`"]),
        (-1, ["tls: browsers refuse the certificate: certificate has expired; renew it, or correct"
              " url: or the files"]),
    ],
)  # fmt: skip
def test_what_status_says(
    days: float,
    said: list[str],
    pair: Pair,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Served(authority, monkeypatch, days)
    assert certificate.wrong(with_files(pair, authority)) == said


def test_a_site_without_nginx_has_other_troubles(pair: Pair, authority: Authority) -> None:
    settings = with_files(pair, authority)
    away = settings.model_copy(update={"url": f"https://{HOST}:1"})  # nothing listens there
    assert certificate.wrong(away) == []
    assert certificate.wrong(Settings()) == []


def test_a_renewal_that_fails(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = parse(f"url: https://{HOST}\ntls: {{kind: acme, authority: {authority.file}}}")
    monkeypatch.setattr(docker, "containers", lambda service: ["c0ffee"])
    answer = shell.Result(0, "no such name\n", "")
    monkeypatch.setattr(shell, "run", lambda args, **options: answer)
    Served(authority, monkeypatch, 30)
    told = "tls: the ACME server gives no certificate: no such name"
    assert certificate.wrong(settings) == [told]
    Served(authority, monkeypatch, 5)
    assert certificate.wrong(settings) == [
        told,
        "tls: the certificate ends in 4 days; run `./notehive up`",
    ]


# The one that `up` makes


def make(host: str) -> str:
    return subprocess.run([SCRIPT, host], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("host", [HOST, "10.0.0.7", "fd00::7", f"{'long' * 15}.example.com"])
def test_self_signed(host: str, tmp_path: Path) -> None:
    file = tmp_path / "made.pem"
    file.write_text(make(host))
    _, key, own, authority = file.read_text().split("-----BEGIN ")
    assert "PRIVATE KEY" in key
    Greeting(host, f"-----BEGIN {authority}".encode()).with_files(file, file)
    with pytest.raises(DistrustError, match=r"unable to get local issuer|self-signed"):
        Greeting(host, f"-----BEGIN {own}".encode()).with_files(file, file)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """What was run; instead of a container, the script itself."""
    asked: list[Sequence[str]] = []

    def run(*args: str) -> str:
        asked.append(args)
        return make(args[-1]).rstrip("\n")

    monkeypatch.setattr(docker, "output", run)
    return asked


def test_it_is_made_once(made: list[Sequence[str]]) -> None:
    settings = parse(f"{{name: nh, url: 'https://{HOST}', tls: self-signed}}")
    assert certificate.authority(settings) == b""
    assert self_signed.ensure("nh", [HOST], "nginx:1") is True
    assert made == [
        ("run", "--rm", "--network=none", "nginx:1", "/opt/notehive/nginx/self-signed", HOST)
    ]
    file = self_signed.file("nh")
    assert file.stat().st_mode & 0o077 == 0
    assert certificate.authority(settings).count(b"BEGIN CERTIFICATE") == 1
    assert certificate.authority(settings).strip() in file.read_bytes()
    assert self_signed.ensure("nh", [HOST, f"ana.{HOST}"], "nginx:1") is False
    first = file.read_bytes()
    assert self_signed.ensure("nh", ["other.example.com"], "nginx:1") is True
    assert file.read_bytes() != first
    self_signed.forget("nh")
    assert not file.exists()


def test_what_certbot_says_is_what_up_says(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = parse(f"url: https://{HOST}\ntls: {{kind: acme}}")
    monkeypatch.setattr(docker, "containers", lambda service: ["c0ffee"])
    said = shell.Result(1, "Requesting a certificate\n\nno such name\n", "")
    monkeypatch.setattr(shell, "run", lambda args, **options: said)
    with pytest.raises(NotehiveError) as raised:
        acme.obtain(settings)
    assert str(raised.value) == (
        "tls: the ACME server gives no certificate: no such name; "
        f"{HOST} must lead to port 80 of this machine from where that server is"
    )
