"""What Prometheus may ask of the hub."""

from types import SimpleNamespace

import pytest
from jupyterhub import orm

from notehive import naming
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


def test_users_with_their_homes_and_groups() -> None:
    db = orm.new_session_factory("sqlite:///:memory:")()
    users = {name: orm.User(name=name) for name in ("ana", "bo b", "job:risk")}
    risk, fraud = orm.Group(name="risk"), orm.Group(name="fraud")
    risk.users = [users["ana"], users["job:risk"]]
    fraud.users = [users["ana"]]
    db.add_all([*users.values(), risk, fraud])
    db.commit()
    told, members = metrics.People(db).collect()
    assert sorted(tuple(sample.labels.values()) for sample in told.samples) == [
        (name, naming.home(name).removeprefix("homes/")) for name in ("ana", "bo b")
    ]
    assert sorted(tuple(sample.labels.values()) for sample in members.samples) == [
        ("fraud", "ana"),
        ("risk", "ana"),
    ]
