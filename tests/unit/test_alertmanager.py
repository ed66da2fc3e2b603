"""What Alertmanager is told of those who are to be told."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from notehive.errors import BadInput
from notehive.platform import alertmanager
from notehive.settings import parse

EMAIL = "{to: [a@x.org, b@x.org], sender: n@x.org, server: smtp.x.org}"


def told(text: str) -> Any:
    return yaml.safe_load(alertmanager.configuration(parse(f"notify: {text}").notify))


def test_nobody_is_told_by_default() -> None:
    assert alertmanager.configuration(parse("").notify) == b""


def test_email_chat_and_webhook() -> None:
    every = f"{{email: {EMAIL}, chat: 'https://chat/hooks/1', webhook: 'http://pager:8080/n'}}"
    [receiver] = told(every)["receivers"]
    assert receiver == {
        "name": "operators",
        "email_configs": [
            {
                "to": "a@x.org, b@x.org",
                "from": "n@x.org",
                "smarthost": "smtp.x.org:587",
                "require_tls": True,
                "send_resolved": True,
                "headers": {"Subject": alertmanager.TITLE},
                "html": "",
                "text": alertmanager.TEXT,
            }
        ],
        "slack_configs": [
            {
                "api_url": "https://chat/hooks/1",
                "send_resolved": True,
                "title": alertmanager.TITLE,
                "text": alertmanager.TEXT,
            }
        ],
        "webhook_configs": [{"url": "http://pager:8080/n", "send_resolved": True}],
    }


@pytest.mark.parametrize(
    ("more", "smarthost", "require_tls"),
    [
        ("port: 25, tls: off", "smtp.x.org:25", False),
        ("port: 465", "smtp.x.org:465", False),  # TLS comes first there, and no STARTTLS after it
    ],
)
def test_ports_of_mail_servers(more: str, smarthost: str, require_tls: bool) -> None:
    [receiver] = told(f"{{email: {EMAIL.replace('}', f', {more}}}')}}}")["receivers"]
    [email] = receiver["email_configs"]
    assert (email["smarthost"], email["require_tls"]) == (smarthost, require_tls)


def test_the_account_of_the_mail_server(tmp_path: Path) -> None:
    file = tmp_path / "password"
    text = f"{{email: {EMAIL.replace('}', f', user: nh, password_file: {file}}}')}}}"
    with pytest.raises(BadInput, match=r"^notify\.email\.password_file: "):
        told(text)
    file.write_text("s3cret\n")
    [receiver] = told(text)["receivers"]
    [email] = receiver["email_configs"]
    assert (email["auth_username"], email["auth_password"]) == ("nh", "s3cret")


def test_what_is_urgent_is_told_again_sooner() -> None:
    route = told("{webhook: 'http://pager'}")["route"]
    assert route["receiver"] == "operators" and route["repeat_interval"] == "12h"
    assert route["routes"] == [{"matchers": ["severity = page"], "repeat_interval": "2h"}]
