"""Alertmanager's configuration, made of `notify:`. It holds passwords, so it is a secret."""

from typing import Any

import yaml

from notehive.platform import files
from notehive.settings import Email, Notify

TITLE = "{{ .Status | toUpper }}: {{ .CommonLabels.alertname }}"
TEXT = (
    "{{ range .Alerts }}{{ .Status }}: {{ .Annotations.summary }}\n{{ end }}\n"
    "What to do: docs/alerts.md, {{ .CommonLabels.alertname }}\n"
    "{{ (index .Alerts 0).GeneratorURL }}"
)


def configuration(notify: Notify) -> bytes:
    """Give the file; nothing where nobody is to be told. Raises BadInput for a password file."""
    if not notify.anybody:
        return b""
    receiver: dict[str, Any] = {"name": "operators"}
    if notify.email:
        receiver["email_configs"] = [_email(notify.email)]
    if notify.chat:
        receiver["slack_configs"] = [
            {"api_url": notify.chat, "send_resolved": True, "title": TITLE, "text": TEXT}
        ]
    if notify.webhook:
        receiver["webhook_configs"] = [{"url": notify.webhook, "send_resolved": True}]
    told = {
        "route": {
            "receiver": "operators",
            # One message for what begins together: a node that goes has many services.
            "group_by": ["alertname"],
            "group_wait": "10s",
            "group_interval": "1m",
            "repeat_interval": "12h",
            "routes": [{"matchers": ["severity = page"], "repeat_interval": "2h"}],
        },
        "receivers": [receiver],
    }
    return yaml.safe_dump(told, sort_keys=False).encode()


def _email(email: Email) -> dict[str, Any]:
    told: dict[str, Any] = {
        "to": ", ".join(email.to),
        "from": email.sender,
        "smarthost": f"{email.server}:{email.port}",
        "require_tls": email.tls and email.port != 465,  # where TLS comes first, there is no more
        "send_resolved": True,
        "headers": {"Subject": TITLE},
        "html": "",
        "text": TEXT,
    }
    if email.user:
        key = "notify.email.password_file"
        told["auth_username"] = email.user
        told["auth_password"] = files.read_line(key, email.password_file)
    return told
