"""A push on a real site, released by a build of Jenkins that runs the agent's own command.

Jenkins is a stand-in (tests/support/jenkins.py), which joins the site as a service; what the API
has where Jenkins is on, it is given. Not exercised: Jenkins, its agents and their networks.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from notehive.api.stages import STAGES
from notehive.models.new import make
from tests.support.hub import User, user
from tests.support.site import ROOT, Site, docker, fetch, wait_for

pytestmark = pytest.mark.long  # tests/jenkins/test_release.py shows the same without a Swarm

FILES = {"stand_in.py": "tests/support/jenkins.py", "stage.py": "src/notehive/jenkins/stage.py"}
STAND_IN = """
import asyncio, pathlib, subprocess, sys
from aiohttp import web
sys.path.insert(0, "/stand-in")
from stand_in import StandInJenkins

model, *stages = sys.argv[1:]
jobs = pathlib.Path("/tmp/jobs.json")
jobs.write_text("[]")

def build(job, given):
    group, name = job.split("/")
    of = [f"--group={group}", f"--name={name}", f"--commit={given['COMMIT']}"]
    for stage in ("source", *stages):
        if subprocess.run([sys.executable, "/stand-in/stage.py", "model", stage, *of]).returncode:
            return "FAILURE"
    return "SUCCESS"

async def main():
    runner = await StandInJenkins(jobs, build, jobs={model}).make()
    await runner.setup()
    await web.TCPSite(runner, port=8080).start()
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def jo(site: Site) -> Iterator[User]:
    with user(site, "jo", "--group", "lab") as jo:
        yield jo


@pytest.fixture(scope="module")
def model(site: Site) -> Iterator[str]:
    """The name of a model that the stand-in has a job for."""
    name, api, label = f"m-{uuid4().hex[:10]}", f"{site.name}_api", f"notehive.stack={site.name}"
    stand_in = f"{site.name}_{name}"
    configs = {file: f"{stand_in}-{file}" for file in FILES}
    keys = {key: f"{stand_in}-{key}" for key in ("release-token", "fetch-key")}
    secrets = [f"source={made},target={key},uid=999,mode=0400" for key, made in keys.items()]
    image = docker("service", "inspect", api, "--format={{.Spec.TaskTemplate.ContainerSpec.Image}}")
    try:
        for made in keys.values():
            docker("secret", "create", f"--label={label}", made, "-", stdin=uuid4().hex)
        for file, made in configs.items():
            docker("config", "create", f"--label={label}", made, str(ROOT / FILES[file]))
        docker(
            *("service", "create", "--detach", "--quiet", f"--name={stand_in}", f"--label={label}"),
            *("--endpoint-mode=dnsrr", f"--network=name={site.name}_edge,alias=jenkins"),
            *("--no-resolve-image", f"--secret={secrets[0]}", "--env=NOTEHIVE_API=api:8092"),
            "--env=NOTEHIVE_TOKEN_FILE=/run/secrets/release-token",
            *(f"--config=source={made},target=/stand-in/{file}" for file, made in configs.items()),
            *(image, "python3", "-c", STAND_IN, f"lab/{name}", *STAGES),
        )
        given = [f"--secret-add={secret}" for secret in secrets]
        docker("service", "update", "--quiet", "--no-resolve-image", *given, api)
        wait_for("the stand-in", lambda: site.container(name), 120)
        yield name
    finally:
        docker("service", "rm", stand_in, check=False)
        docker("service", "update", "--quiet", "--rollback", api, check=False)
        wait_for("its end", lambda: not site.containers(stand_in, ended=False))
        docker("secret", "rm", *keys.values(), check=False)
        docker("config", "rm", *configs.values(), check=False)
        made = f"label=notehive.model={name}"
        for each in docker("images", "--quiet", "--filter", made).split():
            docker("rmi", "--force", each, check=False)


def git(directory: Path, *args: str, check: bool = True) -> str:
    """Run git as jo; give what it says."""
    identity = ("-c", "user.name=jo", "-c", "user.email=jo@example.com")
    command = ("git", "-C", str(directory), *identity, *args)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def clone(site: Site, jo: User, model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project from the template, with its repository."""
    made = fetch(
        *(site, "/notehive-api/models"),
        method="POST",
        headers={"Authorization": f"Bearer {jo.token}", "Content-Type": "application/json"},
        body=f'{{"name": "{model}", "group": "lab"}}'.encode(),
    )
    assert made.status == 201, made
    directory = tmp_path_factory.mktemp("project") / model
    make(directory, model)
    git(directory, "init", "--quiet", "--initial-branch=main")
    address = site.url.replace("://", f"://jo:{jo.token}@")
    git(directory, "remote", "add", "origin", f"{address}/git/lab/{model}.git")
    return directory


def pushed(clone: Path) -> list[str]:
    """Commit all and push; give the lines that the pusher reads."""
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message=all")
    said = git(clone, "push", "origin", "main")
    remote = "remote: "
    lines = said.splitlines()
    return [line.removeprefix(remote).strip() for line in lines if line.startswith(remote)]


def test_a_push_goes_through_the_stages(site: Site, clone: Path, model: str) -> None:
    said = pushed(clone)
    begun = [line.removesuffix(" ...") for line in said if line.removesuffix(" ...") in STAGES]
    assert begun == list(STAGES)
    assert f"{site.url}/jenkins/job/lab/job/{model}/1/" in said
    assert said[-1].startswith("released: ")


def test_a_project_with_a_mistake_fails_its_build(clone: Path) -> None:
    (clone / "model.yml").write_text("name: [\n")
    said = pushed(clone)
    assert "build ..." not in said
    assert said[-1].startswith("not released: check: ")
