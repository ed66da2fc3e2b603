"""The setting `git.external`: what can be said, and what becomes of it in the stack."""

from pathlib import Path

import pytest

from notehive.errors import BadInput
from notehive.outside.config import OutsideConfig
from notehive.platform import outside, stack
from notehive.settings import Settings, parse

HTTPS = "https://gitlab.example.com/ml/churn.git"
SSH = "ssh://git@gitlab.example.com:2222/ml/churn.git"
BY_SSH = "key_file: /k\n    known_hosts_file: /h\n    status_token_file: /t"


def text(
    repositories: str = f"red/churn: '{HTTPS}'", more: str = "", kind: str = "external"
) -> str:
    """The text of settings."""
    return (
        "groups: {red: {}, none: {shared: none}}\n"
        "git:\n"
        f"  kind: {kind}\n"
        "  external:\n"
        "    provider: gitlab\n"
        "    webhook_secret_file: /s\n"
        f"    repositories: {{{repositories}}}\n"
        f"    {more or 'user: ana'}\n"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("git: {kind: external}", "1: git.kind: needs external: beside it"),
        (text(kind="own"), "4: git.external: is for kind: external; set that, or remove this"),
        (text("churn: 'https://x/ml/a'"), "write it as GROUP/NAME, like risk/churn"),
        (text("red/-: 'https://x/ml/a'"), "write it as GROUP/NAME, like risk/churn"),
        (text(f"blue/churn: '{HTTPS}'"), "the group 'blue' is not defined in groups:"),
        (text(f"none/churn: '{HTTPS}'"), "the group 'none' shares nothing, so no model can be its"),
        *(
            (text(f"red/churn: '{address}'"), "git.external.repositories.red/churn: write it like")
            for address in (
                "http://x/ml/churn.git",
                "https://me:secret@x/ml/churn.git",
                "https://x/churn.git",
                "https://x/ml/../churn",
                "https://x/ml/churn.git?a=b",
                "https://x/ml/churn.git#a",
                "https://-x/ml/churn.git",
                "https://x/-ml/churn.git",
                "ssh://x/ml/churn.git",
                "git@x:ml/churn.git",
                "file:///srv/git/red/churn.git",
                "ext::sh -c id",
                "/srv/git/red",
            )
        ),
        (
            text(f"red/a1: '{HTTPS}', red/a2: '{HTTPS.removesuffix('.git')}'"),
            "red/a2: https://gitlab.example.com/ml/churn is another model's too",
        ),
        (
            text(f"red/a1: '{HTTPS}', red/a2: 'https://github.com/ml/churn'"),
            "red/a2: https://github.com/ml/churn is on another server than the first one",
        ),
        (text(more="branch: '-x'"), "git.external.branch: "),
        (text(more="branch: 'a..b'"), "git.external.branch: "),
        (text(more="branch: 'a:b'"), "git.external.branch: "),
        (text(more='user: "a\\nb"'), "git.external.user: "),
        (text(f"red/churn: '{SSH}'"), "git.external.key_file: is missing"),
        (text(f"red/churn: '{SSH}'", "key_file: /k"), "git.external.known_hosts_file: is missing"),
        (text(more="key_file: /k"), "git.external.key_file: is for addresses with ssh://"),
    ],
)
def test_mistakes(given: str, message: str) -> None:
    with pytest.raises(BadInput) as raised:
        parse(given)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("given", "secrets"),
    [
        ("", set()),
        (text(), {"outside-webhook"}),
        (text(more="token_file: /t"), {"outside-webhook", "outside-token"}),
        (
            text(f"red/churn: '{SSH}'", BY_SSH),
            {"outside-webhook", "outside-key", "outside-status"},
        ),
        (text() + "services: {git: off}", set()),
    ],
)
def test_what_the_stack_has(given: str, secrets: set[str]) -> None:
    settings = parse(given)
    wanted = stack.wanted(settings)
    assert {key for key in wanted["secrets"] if key.startswith("outside-")} == secrets
    assert ("outside" in wanted["configs"]) is bool(secrets)
    assert outside.pages(settings.outside) == (["webhook"] if secrets else [])


def settings(tmp_path: Path, **contents: bytes) -> Settings:
    """Settings whose files have these contents."""
    for name, content in {"webhook_secret_file": b"x" * 16, **contents}.items():
        (tmp_path / name).write_bytes(content)
    named = "\n    ".join(
        f"{name}: {tmp_path / name}" for name in contents if name != "webhook_secret_file"
    )
    address = SSH if "key_file" in contents else HTTPS
    return parse(
        text(f"red/churn: '{address}'", named).replace(
            "webhook_secret_file: /s", f"webhook_secret_file: {tmp_path / 'webhook_secret_file'}"
        )
    )


def test_what_services_are_given(tmp_path: Path) -> None:
    key = b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"
    given = settings(tmp_path, key_file=key, known_hosts_file=b"x ssh-ed25519 AAAA\n")
    found = {content.key: content.data for content in outside.contents(given)}
    assert found["outside-key"] == key, "with the end of its last line"
    assert found["outside-webhook"] == b"x" * 16
    config = OutsideConfig.model_validate_json(found["outside"])
    assert (config.server, config.known_hosts) == ("gitlab.example.com", "x ssh-ed25519 AAAA\n")
    assert outside.check(given) == "gitlab, 1 repositories"
    assert outside.contents(Settings()) == []


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^git.external.token_file: .*: is empty$"):
        outside.check(settings(tmp_path, token_file=b" \n"))
    with pytest.raises(BadInput, match=r"^git.external.webhook_secret_file: is short; use 16"):
        outside.check(settings(tmp_path, webhook_secret_file=b"secret"))
    (tmp_path / "webhook_secret_file").unlink()
    with pytest.raises(BadInput, match=r"^git.external.webhook_secret_file: .*: No such file"):
        outside.check(parse(text().replace("/s\n", f"{tmp_path}/webhook_secret_file\n")))
