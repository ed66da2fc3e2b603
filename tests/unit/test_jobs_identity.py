"""Whom a job is: to the gate, and in the database of a hub."""

from types import SimpleNamespace

import pytest
from jupyterhub import orm

from notehive import usernames
from notehive.gate.headers import told
from notehive.hub import jobs
from notehive.settings import Group
from tests.unit.conftest import hub_config

GROUPS = {
    "risk": Group(),
    "open": Group(shared="everyone"),
    "closed": Group(shared="none"),
}


@pytest.mark.parametrize(
    ("name", "groups", "edits", "reads"),
    [
        ("job:risk", ["risk"], "risk", ""),
        ("job:open", ["open"], "open", ""),
        ("job:everyone", [], "everyone", ""),
        ("job:closed", ["closed"], "", ""),
        # One that the hub has taken out of its group, or put into another, gets nothing by that.
        ("job:risk", [], "", ""),
        ("job:risk", ["open"], "", ""),
        ("ana", ["risk"], "everyone,risk", "open"),
    ],
)
def test_what_the_gate_says_of_it(name: str, groups: list[str], edits: str, reads: str) -> None:
    headers = told({"name": name, "groups": groups, "scopes": []}, GROUPS)
    assert headers == {
        "X-Notehive-User": name,
        "X-Notehive-Admin": "",
        "X-Notehive-Edits": edits,
        "X-Notehive-Reads": reads,
    }


def test_no_person_is_called_like_a_job() -> None:
    name = usernames.job_identity("risk")
    with pytest.raises(ValueError, match="only"):
        usernames.check_user_name(name)
    assert usernames.group_of_job(name) == "risk"
    assert usernames.group_of_job("ana") == ""


def test_the_hub_has_them_each_in_its_group_alone() -> None:
    """Those of groups that are gone go, and nobody else."""
    db = orm.new_session_factory("sqlite:///:memory:")()
    for name in ("risk", "open"):
        db.add(orm.Group(name=name))
    gone, ana = orm.User(name="job:gone"), orm.User(name="ana")
    wrong = orm.User(name="job:risk", groups=[orm.Group.find(db, "open")])
    db.add_all([gone, ana, wrong])
    db.commit()
    config = hub_config("groups: {risk: {}, open: {shared: everyone}}")
    for _ in range(2):
        jobs.ensure_identities(db, config)
    found = {user.name: [group.name for group in user.groups] for user in db.query(orm.User)}
    assert found == {
        "ana": [],
        "job:everyone": [],
        "job:open": ["open"],
        "job:risk": ["risk"],
    }


def test_the_platform_may_make_their_tokens_and_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "read_secret", lambda name: f"the {name}")
    c = SimpleNamespace(JupyterHub=SimpleNamespace(services=[], load_roles=[]))
    jobs.update_jobs(c, hub_config("groups: {risk: {}}"))
    assert c.JupyterHub.services == [
        {"name": "jobs", "api_token": "the jobs-token", "display": False}
    ]
    assert c.JupyterHub.load_roles == [
        {
            "name": "jobs",
            "scopes": ["tokens!user=job:everyone", "tokens!user=job:risk"],
            "services": ["jobs"],
        },
        {
            "name": "job",
            "scopes": ["access:services!service=gate"],
            "users": ["job:everyone", "job:risk"],
        },
    ]
