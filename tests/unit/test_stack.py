"""stack.yml, and what of it is deployed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from notehive import docker
from notehive.errors import BadInput, NotehiveError
from notehive.hub.config import HubFile, HubStorage
from notehive.platform import machine, place, self_signed, services, stack, swarm, up, upstream
from notehive.platform.place import Workspace
from notehive.settings import Image, Settings, parse

EVERYTHING = stack.wanted(Settings())
JENKINS = "services: {jenkins: on}"
SERVICES: dict[str, dict[str, Any]] = EVERYTHING["services"]
ACME = "{url: 'https://a.b', tls: {kind: acme, email: me@a.b, authority: /a}}"
NOTIFY = "notify: {webhook: 'http://pager/token'}"
STORAGE = HubStorage(root="/srv/homes", nfs="", quota=0)
REFERENCES = {
    name: f"127.0.0.1:5000/notehive/{name}:0123456789abcdef"
    for name in up.wanted_images(parse(f"{{url: 'https://a.b', tls: acme, {JENKINS}}}"))
}


def used(service: dict[str, Any], key: str) -> set[str]:
    """Names of the networks, volumes, secrets or configs of a service (not of the machine)."""
    return {
        entry.split(":")[0] if isinstance(entry, str) else entry["source"]
        for entry in service.get(key, ())
        if isinstance(entry, str) or entry.get("type") != "bind"
    }


# What is left out


@pytest.mark.parametrize(
    ("off", "services", "volumes", "networks"),
    [
        ("airflow", {*stack.AIRFLOW, "guard-jobs"}, {"airflow"}, {"jobs"}),
        ("git", {"api", "builder", "git"}, {"builder", "builder-door", "git"}, {"builder"}),
        ("mlflow", {"mlflow"}, {"mlflow"}, set()),
        ("prometheus", set(stack.METRICS), {"prometheus"}, {"metrics", "swarm"}),
        ("pypi", {"pypi"}, {"pypi"}, set()),
        (
            "registry",
            {"builder", "registry", "registry-forwarder"},
            {"builder", "builder-door", "registry"},
            {"builder", "registry"},
        ),
    ],
)
def test_what_is_switched_off(
    off: str, services: set[str], volumes: set[str], networks: set[str]
) -> None:
    left = stack.wanted(parse(f"services: {{{off}: off}}"))
    assert set(SERVICES) - set(left["services"]) == services
    assert set(EVERYTHING["volumes"]) - set(left["volumes"]) == volumes
    assert set(EVERYTHING["networks"]) - set(left["networks"]) == networks


@pytest.mark.parametrize(
    ("text", "services", "ports", "secrets", "volumes", "configs"),
    [
        ("tls: off", set(), 1, set(), set(), set()),
        ("url: https://x", set(), 1, set(), set(), set()),
        ("tls: self-signed", set(), 2, {"certificate"}, set(), set()),
        ("tls: {kind: self-signed, http_port: 0}", set(), 1, {"certificate"}, set(), set()),
        (
            "tls: {kind: files, certificate: /c, key: /k, authority: /a}",
            *(set(), 2, {"certificate"}, set(), set()),
        ),
        (
            "{url: 'https://a.b', tls: acme}",
            *({"certbot"}, 2, set(), {"certificates"}, set()),
        ),
        (
            "{url: 'https://a.b', tls: {kind: acme, authority: /a}}",
            *({"certbot"}, 2, set(), {"certificates"}, {"trusted"}),
        ),
    ],
)
def test_what_each_kind_of_certificate_needs(
    text: str,
    services: set[str],
    ports: int,
    secrets: set[str],
    volumes: set[str],
    configs: set[str],
) -> None:
    left = stack.wanted(parse(text))
    nginx = left["services"]["nginx"]
    assert set(left["services"]) - set(SERVICES) == services
    assert len(nginx["ports"]) == ports
    everything = {key: set(EVERYTHING[key]) for key in ("secrets", "configs")}
    assert used(nginx, "secrets") - everything["secrets"] == secrets
    assert set(left["secrets"]) - everything["secrets"] == secrets
    assert used(nginx, "volumes") == volumes == set(left["volumes"]) - set(EVERYTHING["volumes"])
    assert set(left["configs"]) - everything["configs"] == configs
    assert ("certbot" in left["networks"]) == bool(services)


def test_the_users_network_is_held_where_a_size_has_gpus() -> None:
    gpus = "sizes: {a: {limit: {cpu: 1, memory: 1G}, gpu: 1}}"
    holder = stack.wanted(parse(gpus))["services"]["network-holder"]
    assert holder["networks"] == ["users"]
    assert holder["deploy"]["mode"] == "global"
    for text in ("", f"{gpus}\nservices: {{registry: off}}"):
        assert "network-holder" not in stack.wanted(parse(text))["services"]


@pytest.mark.parametrize("switch", Settings().services.model_dump())
def test_every_switch_leaves_a_service_out(switch: str) -> None:
    on, off = (
        set(stack.wanted(parse(f"services: {{{switch}: {word}}}"))["services"])
        for word in ("on", "off")
    )
    assert on > off


@pytest.mark.parametrize(
    "settings",
    [
        "",
        "services: {airflow: off, mlflow: off, pypi: off, registry: off}",
        "tls: self-signed",
        ACME,
        JENKINS,
        NOTIFY,
    ],
)
def test_docker_accepts_its_form(settings: str) -> None:
    wanted = stack.wanted(parse(settings))
    assert set(wanted) == {"version", "services", "networks", "volumes", "configs", "secrets"}
    for key in ("networks", "volumes", "configs", "secrets"):
        needed = {name for service in wanted["services"].values() for name in used(service, key)}
        assert set(wanted[key]) == needed, "declared for nobody, or used and not declared"


# What every service must have

ALL = {
    name: service
    for text in (ACME, JENKINS, NOTIFY, "")
    for name, service in stack.wanted(parse(text))["services"].items()
}
each_service = pytest.mark.parametrize("service", ALL.values(), ids=ALL)


@each_service
def test_service(service: dict[str, Any]) -> None:
    deploy = service["deploy"]
    limits = deploy["resources"]["limits"]
    assert float(limits["cpus"]) > 0
    assert re.fullmatch(r"\d+[MG]", limits["memory"])
    assert limits["pids"] >= 50, "a fork bomb must end, and nothing else"
    assert deploy["restart_policy"]["condition"] == "any"
    assert deploy["labels"] == {"notehive.stack": "$STACK", "notehive.kind": "platform"}
    assert service["init"] is True
    assert service["logging"]["driver"] == "json-file"
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    check = service["healthcheck"]
    assert check["test"]
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)
    # Virtual IPs drop idle connections; on the machine's own network there are none.
    assert deploy.get("endpoint_mode") == "dnsrr" or list(service["networks"]) == ["host"]


@each_service
def test_secrets_are_files_of_one_user(service: dict[str, Any]) -> None:
    for entry in service.get("secrets", ()):
        assert set(entry) == {"source", "uid", "mode"}
        assert entry["mode"] == 0o400
    for key, value in dict(service.get("environment", ())).items():
        # What git calls a key is the name of a setting.
        if re.search(r"PASS|SECRET|TOKEN|(?<!GIT_CONFIG_)KEY|CRED", key):
            assert str(value).startswith("/run/secrets/"), f"{key} is readable by whoever inspects"
            assert str(value).removeprefix("/run/secrets/") in used(service, "secrets")


@each_service
def test_data_stay_on_their_node(service: dict[str, Any]) -> None:
    keeps_data = bool(used(service, "volumes"))
    constraints = service["deploy"].get("placement", {}).get("constraints", [])
    assert not keeps_data or constraints == ["node.labels.notehive.$STACK.data == true"]
    if keeps_data:
        # Two of them would write to one volume.
        assert service["deploy"].get("update_config", {})["order"] == "stop-first"
        assert service["deploy"].get("replicas", 1) in (1, "$REPLICAS")


def test_the_label_of_the_data_node_is_one() -> None:
    written = SERVICES["postgres"]["deploy"]["placement"]["constraints"][0]
    label = f"node.labels.{swarm.data_label('nh')} == true"
    assert written.replace("$STACK", "nh") == label
    assert stack.hub_config(parse("name: nh\nurl: http://x"), REFERENCES, STORAGE).constraints == [
        label
    ]


def test_ports_are_of_the_host() -> None:
    """In the mode `ingress`, Nginx would see the address of a load balancer for everyone's."""
    published = {name: s["ports"] for name, s in SERVICES.items() if s.get("ports")}
    assert set(published) == {"nginx", "registry"}
    assert {port["mode"] for ports in published.values() for port in ports} == {"host"}


def test_who_reaches_what() -> None:
    networks = {name: set(service["networks"]) for name, service in SERVICES.items()}
    assert EVERYTHING["networks"]["data"]["internal"] is True
    assert networks["postgres"] == {"data"}
    assert {name for name, of in networks.items() if "data" in of} == {
        "airflow",
        "airflow-processor",
        "airflow-scheduler",
        "airflow-triggerer",
        "api",
        "hub",
        "mlflow",
        "postgres",
        "postgres-exporter",
    }
    # Users' code shares a network with those alone that know whom to let in. (With Jenkins, also
    # with its agents for groups' own checks, which have the walls of users' servers.)
    assert {name for name, of in networks.items() if "users" in of} == {"nginx", "proxy", "hub"}
    assert {name for name, of in networks.items() if "host" in of} == {"registry-forwarder", "wall"}
    engine = {
        name
        for name, service in SERVICES.items()
        for volume in service.get("volumes", ())
        if "docker.sock" in str(volume)
    }
    assert engine == {"guard", "guard-jobs", "guard-metrics", "builder"}
    assert {name for name, of in networks.items() if "control" in of} == {"guard", "hub"}
    assert EVERYTHING["networks"]["control"]["internal"] is True
    assert networks["guard"] == {"control"}
    assert networks["guard-jobs"] == {"jobs"}
    assert {name for name, of in networks.items() if "jobs" in of} == {
        "airflow-triggerer",
        "guard-jobs",
    }
    assert EVERYTHING["networks"]["jobs"]["internal"] is True
    # Who builds can push: nobody asks it but those whom it is told to believe.
    assert networks["builder"] == {"builder", "registry"}
    assert {name for name, of in networks.items() if "builder" in of} == {"builder", "api"}
    assert {name for name, of in networks.items() if "registry" in of} == {"builder", "registry"}
    # What looks at all the rest is asked by Prometheus alone, and looks through a guard.
    assert networks["guard-metrics"] == {"swarm"}
    assert {name for name, of in networks.items() if "swarm" in of} == {
        "guard-metrics",
        "swarm-metrics",
    }
    assert networks["node-metrics"] == networks["node-exporter"] == {"metrics"}
    for network in ("metrics", "swarm"):
        assert EVERYTHING["networks"][network]["internal"] is True
    assert EVERYTHING["networks"]["builder"]["internal"] is True


def test_images_that_every_node_needs() -> None:
    """The forwarder's is not among them: it has a name of its own."""
    assert stack.node_images(EVERYTHING) == ["metrics", "wall"]
    assert stack.node_images(stack.wanted(parse("services: {prometheus: false}"))) == ["wall"]


def test_somebody_who_is_to_be_told(tmp_path: Path) -> None:
    """Where to is a secret: such addresses are passwords."""
    assert not {"alertmanager", "alerts"} & {*SERVICES, *EVERYTHING["networks"]}
    deployment, written = prepared(f"{{name: nh, url: 'http://x', {NOTIFY}}}", tmp_path)
    assert set(written["services"]) - set(SERVICES) == {"alertmanager"}
    assert set(written["volumes"]) - set(EVERYTHING["volumes"]) == {"alertmanager"}
    told = [each for each in deployment.contents if each.key == "alertmanager"]
    assert [each.kind for each in told] == ["secret"] and b"http://pager/token" in told[0].data
    assert "pager" not in str(written) + str(deployment.variables)
    alerts = {name for name, s in written["services"].items() if "alerts" in s["networks"]}
    assert alerts == {"alertmanager", "prometheus"}


# What it is filled in with


def test_site_url_and_port() -> None:
    here = stack.site_url(Settings())
    assert re.fullmatch(r"http://\d+\.\d+\.\d+\.\d+", here)
    assert stack.site_url(parse("tls: self-signed")) == here.replace("http:", "https:")
    assert stack.site_url(parse("url: http://x:8080/")) == "http://x:8080"


@pytest.mark.parametrize(
    ("settings", "direct"),
    [
        ("url: http://x:8080", "http://10.0.0.7:8080"),
        ("", "http://10.0.0.7:80"),
        ("tls: self-signed", "https://10.0.0.7:443"),
        ("{url: 'https://x:8443', tls: self-signed}", "https://10.0.0.7:8443"),
        # A proxy in front speaks https, Nginx does not.
        ("url: https://x:8443", "http://10.0.0.7:80"),
        ("{url: 'https://x', tls: {http_port: 8080}}", "http://10.0.0.7:8080"),
    ],
)
def test_where_nginx_itself_answers(settings: str, direct: str) -> None:
    assert stack.direct_url(parse(settings), "10.0.0.7") == direct


@pytest.mark.parametrize(
    ("key", "image", "name"),
    [
        ("base", "", "notebooks-base"),
        ("mine", "base", "notebooks-base"),
        ("mine", "notebooks-images/base", "notebooks-base"),
        ("mine", "registry.example.com/team/spark:1", ""),
        ("mine", "spark:1", ""),
        ("base", "../hub", ""),
    ],
)
def test_notebook_image(key: str, image: str, name: str) -> None:
    assert stack.notebook_image(key, Image(image=image)) == name


@pytest.mark.parametrize("image", ["", "notebooks-images/spark"])
def test_a_notebook_image_that_is_not_there(image: str) -> None:
    with pytest.raises(BadInput, match=r"^images\.spark: there is no notebooks-images/spark/Do"):
        stack.notebook_image("spark", Image(image=image))


def test_hub_config() -> None:
    settings = parse(
        "name: nh\n"
        "url: http://x:8080\n"
        "admins: [boss]\n"
        "groups: {risk: {members: [mara]}}\n"
        "mirrors: {pypi: 'https://mirror/simple'}\n"
        "images:\n"
        "  base: {}\n"
        "  mine:\n"
        "    {title: Mine, description: all of it, image: 'registry/mine:1',\n"
        "     packages: [torch 2.9]}\n"
        "services: {mlflow: off, pypi: off}\n"
    )
    told = stack.hub_config(settings, REFERENCES, STORAGE)
    assert (told.stack, told.url, told.admins) == ("nh", "http://x:8080", ["boss"])
    assert told.pip_index_url == "https://mirror/simple"
    assert told.groups["risk"].members == ["mara"]
    assert told.services.mlflow is False
    base, mine = told.images["base"], told.images["mine"]
    assert (base.title, base.reference) == ("base", REFERENCES["notebooks-base"])
    assert (mine.title, mine.description, mine.reference) == (
        "Mine",
        "all of it",
        "registry/mine:1",
    )
    assert "jupyterlab" in [package.split()[0] for package in base.packages]
    assert mine.packages == ["torch 2.9"]


@pytest.mark.parametrize("login", ["me:secret", "token"])
def test_users_are_not_given_the_password_of_an_index(login: str) -> None:
    for pypi in ("on", "off"):
        settings = parse(
            f"url: http://x\nmirrors: {{pypi: 'https://{login}@mirror/simple'}}\n"
            f"services: {{pypi: {pypi}}}"
        )
        assert login not in stack.hub_config(settings, REFERENCES, STORAGE).model_dump_json()


@pytest.mark.parametrize(
    ("pypi", "address", "login"),
    [
        ("", upstream.DEFAULT, ""),
        ("https://mirror/simple", "https://mirror/simple", ""),
        ("https://me:a%40b@mirror:8443/simple", "https://mirror:8443/simple", "me:a%40b"),
        ("https://token@mirror/simple", "https://mirror/simple", "token"),
    ],
)
def test_the_index_upstream(pypi: str, address: str, login: str, tmp_path: Path) -> None:
    """Its address is a variable, its login a secret, of the service that asks it alone."""
    deployment, written = prepared(
        f"{{name: nh, url: 'http://x', mirrors: {{pypi: '{pypi}'}}}}", tmp_path
    )
    assert deployment.variables["INDEX"] == address
    assert [c.data.decode() for c in deployment.contents if c.key == "index-login"] == (
        [login] if login else []
    )
    holders = {n for n, s in written["services"].items() if "index-login" in used(s, "secrets")}
    assert holders == ({"pypi"} if login else set())
    assert ("index-login" in written["secrets"]) == bool(login)
    off = f"{{url: 'http://x', services: {{pypi: off}}, mirrors: {{pypi: '{pypi}'}}}}"
    assert "index-login" not in [c.key for c in prepared(off, tmp_path)[0].contents]


@pytest.fixture(autouse=True)
def _engine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file in place of the engine's socket: its group is asked for."""
    socket = tmp_path_factory.mktemp("engine") / "docker.sock"
    socket.touch()
    monkeypatch.setattr(machine, "SOCKET", socket)


def prepared(settings: str, directory: Path) -> tuple[stack.Deployment, dict[str, Any]]:
    deployment = stack.prepare(
        parse(settings),
        REFERENCES,
        "10.0.0.7",
        ["10.0.0.7", "10.0.0.8"],
        STORAGE,
        Workspace(directory),
        HubFile(id="1", name="nh_trusted-1", target="/etc/x"),
    )
    return deployment, yaml.safe_load(deployment.file.read_text())


def test_prepare(tmp_path: Path) -> None:
    deployment, written = prepared("name: nh\nurl: http://site:8080", tmp_path)
    assert deployment.stack == "nh"
    assert written == EVERYTHING
    expected = {
        "STACK": "nh",
        "PORT": "8080",
        "HOST": "site",
        "DATA_NODE": "10.0.0.7",
        "FORWARDER": "127.0.0.1:5000/notehive/forwarder:current",
        "NODES": "10.0.0.7 10.0.0.8",
        "USERS": "10.96.0.0/16",
        "REPLICAS": "1",
        "GENERATION": "1",
        "REGISTRY_PORT": "5000",
        "REGISTRY_PUSH_PORT": "5001",
        "IMAGE_HUB": REFERENCES["hub"],
        "IMAGE_POSTGRES": REFERENCES["postgres"],
    }
    assert expected.items() <= deployment.variables.items()
    assert deployment.variables["SERVICES"].split() == list(SERVICES)
    for file in tmp_path.iterdir():
        assert file.stat().st_mode & 0o077 == 0, f"{file.name} may hold a password"


@pytest.mark.parametrize(
    "settings",
    [
        "url: http://x",
        "url: http://x\nservices: {registry: off}",
        "tls: self-signed",
        ACME,
        f"url: http://x\n{JENKINS}",
    ],
)
def test_every_variable_is_filled_in(
    settings: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "ROOT", tmp_path)
    file = self_signed.file("notehive")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("-----BEGIN CERTIFICATE-----\n")
    deployment, _ = prepared(settings, tmp_path)
    text = deployment.file.read_text()
    needed = re.findall(r"(?<!\$)\$\{?(\w+)", text)  # $$ is a dollar for the container's shell
    assert set(needed) <= set(deployment.variables)
    assert all(deployment.variables[name] for name in needed)


def test_who_has_the_engine_has_it_by_its_group_alone() -> None:
    for name in ("guard", "guard-jobs", "builder"):
        service = SERVICES[name]
        assert service["user"] == "999:$SOCKET_GROUP"
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert service["command"][:2] == ["setpriv", "--no-new-privs"]
        assert "ports" not in service


def test_who_has_the_registrys_password() -> None:
    holders = {
        name for name, each in SERVICES.items() if "registry-password" in used(each, "secrets")
    }
    assert holders == {"builder", "registry", "registry-forwarder"}


def test_the_builder_reads_repositories_and_changes_none() -> None:
    assert "git:/srv/git:ro,nocopy" in SERVICES["builder"]["volumes"]


def test_an_index_of_the_sites_own_is_told_to_the_builder_as_a_secret(tmp_path: Path) -> None:
    assert "package-index" not in EVERYTHING["secrets"]
    deployment, written = prepared(
        "url: http://x\nmirrors: {pypi: 'https://me:hush@mirror/simple'}", tmp_path
    )
    assert "package-index" in used(written["services"]["builder"], "secrets")
    (content,) = [each for each in deployment.contents if each.key == "package-index"]
    assert (content.kind, content.data) == ("secret", b"https://me:hush@mirror/simple")
    assert "hush" not in deployment.file.read_text() + str(deployment.variables)


def test_how_many_releases_stay(tmp_path: Path) -> None:
    deployment, written = prepared("url: http://x\nretention: {releases: 3, days: 0}", tmp_path)
    told = written["services"]["api"]["environment"]
    assert (told["KEEP_RELEASES"], told["KEEP_DAYS"]) == ("$KEEP_RELEASES", "$KEEP_DAYS")
    variables = deployment.variables
    assert (variables["KEEP_RELEASES"], variables["KEEP_DAYS"]) == ("3", "0")


def test_what_airflow_kept_is_readable_when_it_is_switched_on_again(tmp_path: Path) -> None:
    """The key to it is not removed with those of the other services."""
    deployment, written = prepared("url: http://x\nservices: {airflow: off}", tmp_path)
    assert not any("airflow-fernet" in name for name in written["secrets"])
    assert {"notehive_airflow-fernet.0", "notehive_airflow-fernet.1"} <= set(deployment.names)
    assert "notehive_airflow-jwt.1" not in deployment.names


def test_of_all_services_walls_alone_have_capabilities_over_others() -> None:
    given = {name: s["cap_add"] for name, s in SERVICES.items() if s.get("cap_add")}
    assert given == {"wall": ["NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE"]}
    assert SERVICES["wall"]["cap_drop"] == ["ALL"]


def test_the_hub_restarts_just_when_its_configuration_changes(tmp_path: Path) -> None:
    """The digest is in the name of the config, for Swarm never replaces one."""
    digests = [
        prepared(f"url: http://x\n{more}", tmp_path)[0].variables["CONFIG_HUB"]
        for more in ("", "packages: {cache: 5G}", "admins: [boss]", "")
    ]
    assert digests[0] == digests[1] == digests[3] != digests[2]


# Arrival, with stand-ins for what the engine answers


@dataclass
class StandInEngine:
    """A stand-in for the engine: what it answers to listings."""

    services: list[dict[str, Any]]
    tasks: list[dict[str, str]]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> StandInEngine:
    engine = StandInEngine([], [])

    def objects(*args: str) -> Iterator[dict[str, Any]]:
        if args[:2] == ("service", "ls"):
            rows = [
                {"Name": s["Spec"]["Name"], "Replicas": s["stand-in replicas"]}
                for s in engine.services
            ]
        else:
            assert args[:2] == ("service", "ps")
            rows = engine.tasks
        yield from rows

    monkeypatch.setattr(docker, "objects", objects)
    monkeypatch.setattr(docker, "inspect", lambda kind, *names: engine.services)
    return engine


def service(name: str, replicas: str, state: str = "") -> dict[str, Any]:
    return {
        "Spec": {
            "Name": f"nh_{name}",
            "Mode": {"Global": {}} if name == "registry-forwarder" else {"Replicated": {}},
        },
        "stand-in replicas": replicas,
        **({"UpdateStatus": {"State": state}} if state else {}),
    }


def test_unready(engine: StandInEngine) -> None:
    engine.services = [
        service("hub", "1/1"),
        service("nginx", "1/1", "completed"),
        service("proxy", "1/1", "updating"),
        service("mlflow", "0/1"),
        service("registry-forwarder", "2/3 (max 1 per node)"),
    ]
    assert services.unready("nh") == ["proxy", "mlflow"], "one on each node is the nodes' matter"


def test_a_paused_update_will_never_arrive(engine: StandInEngine) -> None:
    engine.services = [service("hub", "1/1", "paused")]
    engine.tasks = [
        {"Error": "", "CurrentState": "Running 1 second ago", "DesiredState": "Running"},
        {
            "Error": '"task: non-zero exit (1)"',
            "CurrentState": "Failed 9 s ago",
            "DesiredState": "",
        },
    ]
    with pytest.raises(
        NotehiveError, match=r"^hub: its update was stopped; Failed 9 s ago: task: n"
    ):
        services.await_arrival("nh", lambda text: None)


@pytest.mark.parametrize(
    ("tasks", "reason"),
    [
        (
            [{"Error": "", "CurrentState": "Pending 4 minutes ago", "DesiredState": "Running"}],
            "Pending 4 minutes ago",
        ),
        ([], "no task"),
    ],
)
def test_who_does_not_arrive_is_named(
    tasks: list[dict[str, str]], reason: str, engine: StandInEngine
) -> None:
    engine.services, engine.tasks = [service("mlflow", "0/1")], tasks
    with pytest.raises(NotehiveError) as raised:
        services.await_arrival("nh", lambda text: None, seconds=-1)
    assert str(raised.value).startswith("mlflow: not running after ")
    assert reason in str(raised.value)
    assert str(raised.value).endswith("see `./notehive logs mlflow`")
