"""Jenkins in the stack, and its configuration against what a real Jenkins says of itself.

tests/jenkins/casc-schema.json and plugins-seen.txt come from a running Jenkins 2.516.2.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from notehive import docker, shell
from notehive.api.stages import STAGES
from notehive.errors import BadInput
from notehive.platform import jenkins, stack
from notehive.platform.place import Workspace
from notehive.settings import Mirrors, Settings, parse
from notehive.shell import Result
from tests.support import rights

ROOT = Path(__file__).resolve().parents[2]
ON = parse("services: {jenkins: on}\ngroups: {lab: {}, guild: {shared: everyone}}")
CONFIGURATION: dict[str, Any] = yaml.safe_load((ROOT / "jenkins/jenkins.yaml").read_text())
LOGIN: dict[str, Any] = yaml.safe_load((ROOT / "jenkins/login.yaml").read_text())
AGENTS: list[dict[str, Any]] = yaml.safe_load(jenkins.agents(ON))["jenkins"]["nodes"]
SCHEMA: dict[str, Any] = json.loads((ROOT / "tests/jenkins/casc-schema.json").read_text())
OF_JENKINS = SCHEMA["properties"]["jenkins"]["properties"]


def fits(value: Any, schema: dict[str, Any]) -> None:
    """Hold a value against a schema; raises ValidationError."""
    jsonschema.Draft7Validator(readable(schema)).validate(value)


def readable(schema: Any) -> Any:
    """Give a schema of Jenkins' without what it does not mean.

    An `$id` stands for a definition that Jenkins leaves out, with no keys allowed beside it; the
    items of each list are said to be objects without keys.
    """
    if isinstance(schema, list):
        return [readable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$id" in schema and not schema.get("properties"):
        return {}
    return {key: readable(each) for key, each in schema.items() if key not in ("$id", "items")}


def test_keys_are_those_of_a_real_jenkins() -> None:
    fits({key: value for key, value in CONFIGURATION.items() if key != "jobs"}, SCHEMA)


def test_what_the_schema_cannot_say() -> None:
    # The plugin of the reverse proxy was not installed there.
    (realm,) = LOGIN["jenkins"]["securityRealm"]
    known = [next(iter(each["properties"])) for each in OF_JENKINS["securityRealm"]["oneOf"]]
    assert realm not in known, "the schema knows it now: hold it against that"
    # A list, which it calls an object, though `jobs: - script:` was seen to work there.
    assert SCHEMA["properties"]["jobs"]["type"] == "object"
    assert CONFIGURATION["jobs"] == [{"file": "/opt/notehive/jenkins/jobs.groovy"}]
    assert "nodes" not in OF_JENKINS, "agents are held against the schema one by one"


def test_rights() -> None:
    strategy = CONFIGURATION["jenkins"]["authorizationStrategy"]
    rights = {}
    for entry in strategy["projectMatrix"]["entries"]:
        fits(entry, OF_JENKINS["definitionEntry"])
        ((kind, who),) = entry.items()
        fits(who, OF_JENKINS["child"])
        rights[f"{kind} {who['name']}"] = who["permissions"]
    assert rights == {
        "group admin=yes": ["Overall/Administer"],
        "group authenticated": ["Overall/Read", "Agent/Build"],
        "user anonymous": ["Agent/Build"],
    }


# Whom the gate lets in, and what it says of them.
KNOWN = {"authenticated", "everyone"}
SAID = {
    "no group": KNOWN,
    "member": KNOWN | {"lab"},
    "other": KNOWN | {"guild"},
    "admin": KNOWN | {"admin=yes"},
    "server": KNOWN | {"lab"},
    "narrow token": KNOWN | {"lab"},
}
FOLDERS = {"TEAM": "lab", "GUILD": "guild"}
ASKS = {
    "open the page": "Overall/Read",
    "see builds": "Job/Read",
    "stop builds": "Job/Cancel",
    "begin a build": "Job/Build",
    "see the configuration": "Overall/Administer",
}


def of_folder(folder: str) -> dict[str, list[str]]:
    """Give each group's permissions in a folder, as tests/jenkins/test_jobs.py holds them true."""
    text = (ROOT / "tests/jenkins/jobs.txt").read_text()
    (block,) = (each for each in text.split("\nfolder ") if each.startswith(f"{folder}\n"))
    found = re.findall(r'group\n +name "(.+)"\n +permissions (.+)', block.split("\npipelineJob")[0])
    return {group: json.loads(permissions) for group, permissions in found}


@pytest.mark.parametrize(
    "cell",
    [cell for cell in rights.cells() if cell.section == "Jenkins"],
    ids=lambda cell: f"{cell.role}-{cell.action}",
)
def test_the_table_of_rights(cell: rights.Cell) -> None:
    action, _, group = cell.action.partition(" of ")
    strategy = CONFIGURATION["jenkins"]["authorizationStrategy"]["projectMatrix"]
    given = {
        entry["group"]["name"]: list(entry["group"]["permissions"])
        for entry in strategy["entries"]
        if "group" in entry
    }
    folder = FOLDERS.get(group)
    for name, permissions in of_folder(folder).items() if folder else ():
        given[name] = [*given.get(name, ()), *permissions]
    has = {each for name in SAID.get(cell.role, ()) for each in given.get(name, ())}
    assert bool({ASKS[action], "Overall/Administer"} & has) is cell.allowed


@pytest.mark.parametrize("agent", AGENTS, ids=[each["permanent"]["name"] for each in AGENTS])
def test_agents(agent: dict[str, Any]) -> None:
    fits(agent, OF_JENKINS["node"])
    fits(agent["permanent"], OF_JENKINS["permanent"])
    fits(agent["permanent"]["launcher"], OF_JENKINS["computerLauncher"])
    fits(agent["permanent"]["launcher"]["inbound"], OF_JENKINS["inbound"])


def test_any_agent_of_a_group_serves() -> None:
    """With all of them EXCLUSIVE, a Jenkinsfile with `agent any` would wait for ever."""
    modes = {each["permanent"]["name"]: each["permanent"]["mode"] for each in AGENTS}
    assert modes == {
        "releases": "EXCLUSIVE",
        "checks-everyone": "NORMAL",
        "checks-lab": "NORMAL",
        "checks-guild": "NORMAL",
    }


# The pipeline


def test_its_stages_are_those_of_the_api() -> None:
    text = (ROOT / "jenkins/pipeline.groovy").read_text()
    stages = re.findall(r"stage\('(.+)'\)", text)
    assert stages[0] == "own checks"
    assert re.findall(r"sh model\('(.+)'\)", text) == stages[1:]
    assert [stage for stage in stages if stage in STAGES] == list(STAGES)


# Plugins


def versions(path: str) -> dict[str, str]:
    lines = (ROOT / path).read_text().splitlines()
    return dict(line.split(":") for line in lines if line and not line.startswith("#"))


def test_plugins_are_those_that_were_seen_together() -> None:
    ours, seen = versions("jenkins/plugins.txt"), versions("tests/jenkins/plugins-seen.txt")
    assert all(re.fullmatch(r"\d[\w.-]+", version) for version in ours.values()), "all are pinned"
    others = {name: version for name, version in ours.items() if seen.get(name) != version}
    assert set(others) == {"reverse-proxy-auth-plugin"}, "or say in plugins.txt why"


def test_the_version_is_that_of_the_schema() -> None:
    assert re.fullmatch(r"jenkins/jenkins:2\.516\.\d+-lts-jdk21", jenkins.base())


# The stack


def test_each_group_has_an_agent_with_walls() -> None:
    services = stack.wanted(ON)["services"]
    agents = {name: each for name, each in services.items() if name.startswith("checks-")}
    assert list(agents) == ["checks-everyone", "checks-lab", "checks-guild"]
    assert "checks" not in services
    for name, agent in agents.items():
        assert agent["networks"] == ["users"]
        assert agent["entrypoint"] == ["/usr/local/bin/walled"]
        assert agent["environment"]["NODE"] == name
        assert [secret["source"] for secret in agent["secrets"]] == [name], "and no token"
        assert {"net.ipv4.ip_local_reserved_ports": "8888"}.items() <= agent["sysctls"].items()


def test_who_has_the_release_token() -> None:
    """The agent shows it, and the API asks for it."""
    services = stack.wanted(ON)["services"]
    holders = [
        name
        for name, service in services.items()
        if "release-token" in [secret["source"] for secret in service.get("secrets", ())]
    ]
    assert holders == ["api", "releases"]


def test_who_is_on_the_network_of_jenkins() -> None:
    """Jenkins believes everybody there."""
    services = stack.wanted(ON)["services"]
    there = {name for name, service in services.items() if "jenkins" in service["networks"]}
    assert there == {"nginx", "api", "jenkins"}
    assert services["jenkins"]["networks"] == ["jenkins"]


def test_a_group_that_shares_nothing_has_no_models() -> None:
    settings = parse("services: {jenkins: on}\ngroups: {lab: {shared: none}}")
    assert jenkins.groups(settings) == ["everyone"]


# The switch


@pytest.mark.parametrize(
    ("text", "switch"),
    [
        ("", "auto"),
        ("services: {jenkins: auto}", "auto"),
        ("services: {jenkins: on}", "on"),
        ("services: {jenkins: off}", "off"),
        ("services: {jenkins: 'off'}", "off"),
    ],
)
def test_switch(text: str, switch: str) -> None:
    assert parse(text).services.jenkins == switch


class Build:
    """Stands in for the pull and the build of the images: fails, or not."""

    def __init__(self, failure: str = "") -> None:
        self.failure, self.times = failure, 0

    def __call__(self) -> None:
        self.times += 1
        if self.failure:
            raise BadInput(f"a log\n{self.failure}")


@pytest.fixture
def decide(tmp_path: Path) -> Callable[..., Settings]:
    def decide(text: str, build: Build, *, again: bool = False) -> Settings:
        return jenkins.decide(parse(text), Workspace(tmp_path), build, again=again)

    return decide


def test_auto_is_on_where_the_image_can_be_had(decide: Callable[..., Settings]) -> None:
    assert decide("", Build()).services.jenkins == "on"


def test_auto_is_off_where_it_cannot(decide: Callable[..., Settings], tmp_path: Path) -> None:
    build = Build("x: cannot be pulled")
    assert decide("", build).services.jenkins == "off"
    said = jenkins.left_out(Settings(), Workspace(tmp_path))
    assert said == "x: cannot be pulled; `./notehive up --patch` tries again"
    # It is remembered, and asked again for another registry, or if the operator says so.
    assert decide("", build).services.jenkins == "off"
    assert build.times == 1
    assert decide("", Build(), again=True).services.jenkins == "on"
    assert jenkins.left_out(Settings(), Workspace(tmp_path)) == ""
    decide("", build)
    decide("mirrors: {docker: registry.example.com}", build)
    assert build.times == 3


def test_on_is_an_error_where_it_cannot(decide: Callable[..., Settings]) -> None:
    with pytest.raises(BadInput, match="x: cannot be pulled"):
        decide("services: {jenkins: on}", Build("x: cannot be pulled"))


@pytest.mark.parametrize("without", ["git", "registry"])
def test_auto_is_off_where_nothing_is_released(
    decide: Callable[..., Settings], without: str
) -> None:
    build = Build()
    assert decide(f"services: {{{without}: off}}", build).services.jenkins == "off"
    assert build.times == 0


def test_without_jenkins_the_api_has_nothing_of_it() -> None:
    told = stack.wanted(Settings())
    api = told["services"]["api"]
    assert not {"jenkins", "releases"} & set(api["networks"])
    assert not {"release-token", "fetch-key"} & {secret["source"] for secret in api["secrets"]}
    assert not [name for name in (*told["volumes"], *told["secrets"]) if "jenkins" in name]


def test_off_asks_nobody(decide: Callable[..., Settings], tmp_path: Path) -> None:
    decide("", Build("x: cannot be pulled"))
    build = Build()
    assert decide("services: {jenkins: off}", build).services.jenkins == "off"
    assert build.times == 0
    assert jenkins.left_out(Settings(), Workspace(tmp_path)) == ""


def test_the_image_comes_from_the_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **options: Any) -> Result:
        commands.append(command[1:])
        return Result(0, "", "")

    monkeypatch.setattr(docker, "inspect", lambda kind, *names: [])
    monkeypatch.setattr(shell, "run", run)
    monkeypatch.setattr(docker, "client", lambda: "docker")
    jenkins.ensure_base(Mirrors(docker="registry.example.com:5000"))
    name = jenkins.base()
    assert commands == [
        ["pull", "--quiet", f"registry.example.com:5000/{name}"],
        ["tag", f"registry.example.com:5000/{name}", name],
    ]


def test_an_image_that_cannot_be_pulled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "inspect", lambda kind, *names: [])
    monkeypatch.setattr(docker, "client", lambda: "docker")
    monkeypatch.setattr(shell, "run", lambda *a, **k: Result(1, "", "no such host\n"))
    with pytest.raises(BadInput, match=r"^jenkins/jenkins:\S+: cannot be pulled \(no such host\);"):
        jenkins.ensure_base(Mirrors())
