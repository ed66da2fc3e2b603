"""What Prometheus may ask of the hub."""

from types import SimpleNamespace

import pytest

from notehive.hub import metrics
from tests.unit.conftest import hub_config


@pytest.mark.parametrize("switch", ["on", "off"])
def test_its_token_reads_metrics_alone(switch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "read_secret", lambda name: f"the {name}")
    c = SimpleNamespace(JupyterHub=SimpleNamespace(services=[], load_roles=[]))
    metrics.update_metrics(c, hub_config(f"services: {{prometheus: {switch}}}"))
    service = {"name": "prometheus", "api_token": "the metrics-token", "display": False}
    role = {"name": "prometheus", "scopes": ["read:metrics"], "services": ["prometheus"]}
    on = switch == "on"
    assert c.JupyterHub.services == ([service] if on else [])
    assert c.JupyterHub.load_roles == ([role] if on else [])
