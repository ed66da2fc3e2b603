"""Jenkins itself, where its image can be had: the one thing that no stand-in shows.

Where it cannot, this is skipped, and nothing has exercised: that the plugins load together; that
Jenkins takes jenkins.yaml, Job DSL jobs.groovy and Declarative Pipeline pipeline.groovy; that it
asks rules.groovy and identity.groovy; that agents connect by WebSocket. tests/unit/test_jenkins.py,
tests/jenkins/ and tests/images/test_jenkins_door.py show the rest.
"""

import json
from collections.abc import Iterator

import pytest

from notehive.errors import BadInput
from notehive.platform import jenkins
from notehive.settings import Mirrors
from tests.support.hub import User, user
from tests.support.site import Site, changed, docker, fetch, wait_for

pytestmark = pytest.mark.changes_site

REPOSITORIES = [{"group": "lab", "name": "churn"}]


@pytest.fixture(scope="module")
def with_jenkins(site: Site) -> Iterator[Site]:
    """The site with Jenkins, and a job for one repository."""
    mirrors = Mirrors(**site.settings.get("mirrors", {}))
    try:
        jenkins.ensure_base(mirrors)
    except BadInput as error:
        pytest.skip(f"not exercised: Jenkins itself ({__doc__}); {error}")
    volume = f"{site.name}_jenkins-jobs"
    docker("volume", "create", "--label", f"notehive.stack={site.name}", volume)
    write = f"cat > /srv/repositories.json <<'E'\n{json.dumps(REPOSITORIES)}\nE"
    docker("run", "--rm", f"--volume={volume}:/srv", "notehive/debian:trixie", "sh", "-c", write)
    with changed(site, services={"airflow": False, "jenkins": "on"}):
        yield site


@pytest.fixture(scope="module")
def member(with_jenkins: Site) -> Iterator[User]:
    with user(with_jenkins, "jen", "--group", "lab") as member:
        yield member


def ask(site: Site, who: User, path: str) -> tuple[int, dict[str, object]]:
    answer = fetch(site, path, headers={"Authorization": f"Bearer {who.token}"})
    return answer.status, json.loads(answer.body) if answer.status == 200 else {}


def test_a_member_sees_the_jobs_of_the_group(with_jenkins: Site, member: User) -> None:
    _, told = ask(with_jenkins, member, "/jenkins/whoAmI/api/json")
    assert told["name"] == member.name
    assert {"authenticated", "lab", "everyone", "admin="} <= set(told["authorities"])  # type: ignore[call-overload]
    status, told = ask(with_jenkins, member, "/jenkins/job/lab/api/json?tree=jobs[name]")
    assert status == 200
    assert {job["name"] for job in told["jobs"]} == {"churn", "churn.checks"}  # type: ignore[attr-defined]
    assert ask(with_jenkins, member, "/jenkins/manage/")[0] == 403


def test_agents_come(with_jenkins: Site) -> None:
    def online() -> bool:
        logs = docker("logs", with_jenkins.container("checks-lab"), check=False)
        return "Connected" in logs

    wait_for("the agent of the group is connected", online, 180)
    rules = with_jenkins.exec("jenkins", "cat", "/tmp/rules")
    assert rules == ""
