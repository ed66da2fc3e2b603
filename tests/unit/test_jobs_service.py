"""A step as a Swarm service, and what is said of its end, without an engine."""

from typing import Any

import pytest
from docker.types import SecretReference

from notehive import naming, usernames
from notehive.hub.config import HubConfig, HubFile, HubStorage
from notehive.hub.tasks import Task
from notehive.jobs import facts, service, step, verdict
from notehive.jobs.service import Begun, Size
from notehive.jobs.step import Attempt
from notehive.jobs.verdict import Verdict
from notehive.wall import MARK
from tests.support.engine import node, task
from tests.unit.conftest import hub_config

SETTINGS = """
name: nh
sizes:
  small: {limit: {cpu: 1, memory: 1G}, guarantee: {cpu: 0.25, memory: 300M}}
groups: {risk: {}, closed: {shared: none}}
"""
IMAGE = f"127.0.0.1:5000/models/risk/churn@sha256:{'a' * 64}"
BEGUN = Begun(IMAGE, "c0ffee")
SMALL = Size("small", cpu=8, memory=2**34, pids=99)  # as it was at the release
RUN = "scheduled__2026-01-01T00:00:00+00:00"
ATTEMPT = Attempt(
    group="risk",
    model="churn",
    pipeline="train",
    step="prepare",
    run=RUN,
    number=2,
    logical_date="2026-01-01T00:00:00+00:00",
    interval_start="2026-01-01T00:00:00+00:00",
    interval_end="2026-02-01T00:00:00+00:00",
    parameters={"test_size": 0.2},
)
NAME = naming.job_service(
    "nh", group="risk", model="churn", pipeline="train", step="prepare", run=RUN, attempt="2"
)
LABELS = {
    "notehive.stack": "nh",
    "notehive.kind": "job",
    "notehive.group": "risk",
    "notehive.model": "churn",
    "notehive.pipeline": "train",
    "notehive.step": "prepare",
    "notehive.run": RUN,
    "notehive.try": "2",
}
DIRECTORY = naming.run_directory("risk", "churn", "train", RUN)


def told(**changes: Any) -> HubConfig:
    return hub_config(SETTINGS).model_copy(update={"constraints": ["node.id == n1"], **changes})


def built(config: HubConfig, attempt: Attempt = ATTEMPT, size: Size = SMALL) -> dict[str, Any]:
    own = SecretReference("s" * 25, "own", filename="jupyterhub-token", uid="1000", gid="100")
    return service.build(config, attempt, BEGUN, size, [own])


def test_the_whole_service() -> None:
    """A rewrite of it would change what walls and the guard see: it is written out here."""
    assert built(told()) == {
        "name": NAME,
        "labels": LABELS,
        "endpoint_spec": {"Mode": "dnsrr"},
        "task_template": {
            "ContainerSpec": {
                "Image": IMAGE,
                "Command": ["/usr/local/bin/walled", "/usr/local/bin/docker-entrypoint"],
                "Args": ["python3", "-P", "-m", "notehive.models.step"],
                "Env": [
                    "JUPYTERHUB_USER=job:risk",
                    "NOTEHIVE_GROUP=risk",
                    "NOTEHIVE_MODEL=churn",
                    "NOTEHIVE_PIPELINE=train",
                    "NOTEHIVE_STEP=prepare",
                    f"NOTEHIVE_RUN={RUN}",
                    "NOTEHIVE_TRY=2",
                    "NOTEHIVE_LOGICAL_DATE=2026-01-01T00:00:00+00:00",
                    "NOTEHIVE_DATA_INTERVAL_START=2026-01-01T00:00:00+00:00",
                    "NOTEHIVE_DATA_INTERVAL_END=2026-02-01T00:00:00+00:00",
                    'NOTEHIVE_PARAMETERS={"test_size": 0.2}',
                    "NOTEHIVE_RUN_DIR=/mnt/run",
                    f"NOTEHIVE_IMAGE={IMAGE}",
                    "NOTEHIVE_COMMIT=c0ffee",
                    "NOTEHIVE_URL=http://notehive.localhost",
                    "MLFLOW_TRACKING_URI=http://notehive.localhost/mlflow",
                    "MLFLOW_WORKSPACE=risk",
                    "MLFLOW_EXPERIMENT_NAME=Default",
                ],
                "Labels": LABELS,
                "Mounts": [
                    {
                        "Type": "bind",
                        "Source": f"/srv/{DIRECTORY}",
                        "Target": "/mnt/run",
                        "ReadOnly": False,
                    },
                    {
                        "Type": "tmpfs",
                        "Source": None,
                        "Target": "/dev/shm",
                        "ReadOnly": False,
                        "TmpfsOptions": {"SizeBytes": 2**29},
                    },
                ],
                "Secrets": [
                    {
                        "SecretID": "s" * 25,
                        "SecretName": "own",
                        "File": {
                            "Name": "jupyterhub-token",
                            "UID": "1000",
                            "GID": "100",
                            "Mode": 0o444,
                        },
                    }
                ],
                "Configs": [],
                "Init": True,
                "CapabilityDrop": ["ALL"],
                "Sysctls": {
                    "net.ipv4.ip_unprivileged_port_start": "1024",
                    MARK[0]: MARK[1],
                },
            },
            "Resources": {
                "Limits": {
                    "NanoCPUs": 1_000_000_000,
                    "MemoryBytes": 2**30,
                    "Pids": told().sizes["small"].pids,
                },
                "Reservations": {"NanoCPUs": 250_000_000, "MemoryBytes": 300 * 2**20},
            },
            "Placement": {"Constraints": ["node.id == n1"]},
            "RestartPolicy": {"Condition": "none", "Delay": 0, "MaxAttempts": 0, "Window": 0},
            "LogDriver": {"Name": "json-file", "Options": {"max-size": "10m", "max-file": "3"}},
            "Networks": [{"Target": "nh_users", "Aliases": None, "DriverOpts": None}],
        },
    }


def test_a_run_has_one_directory_and_each_try_a_service() -> None:
    other = Attempt("risk", "churn", "train", "prepare", RUN, 3)
    assert other.directory == ATTEMPT.directory == DIRECTORY
    assert other.service("nh") != ATTEMPT.service("nh") == NAME
    assert Attempt("risk", "churn", "etl", "prepare", RUN, 2).directory != DIRECTORY
    assert len(NAME) <= 63


def test_no_name_is_that_of_a_server() -> None:
    """A user's name has no colon, so that no digest is of the same text."""
    assert NAME.startswith("nh-job-prepare-risk-chu")
    assert usernames.group_of_job(usernames.job_identity("risk")) == "risk"
    assert usernames.group_of_job("ana") == ""


def test_on_nfs_its_volume_goes_with_the_container() -> None:
    storage = HubStorage(root="/export", nfs="addr=10.0.0.7,vers=4.2", quota=0)
    [run, _] = built(told(storage=storage))["task_template"]["ContainerSpec"]["Mounts"]
    assert not run["Source"], "one with a name would stay on the node for ever"
    assert run["VolumeOptions"]["DriverConfig"]["Options"] == {
        "type": "nfs",
        "o": "addr=10.0.0.7,vers=4.2",
        "device": f":/export/{DIRECTORY}",
    }


def test_a_size_that_is_no_longer_in_the_settings() -> None:
    """The job gets what the release says, and nothing is kept for it."""
    gone = built(told(), size=Size("gone", cpu=2, memory=2**31, pids=500))
    resources = gone["task_template"]["Resources"]
    assert resources["Limits"] == {
        "NanoCPUs": 2_000_000_000,
        "MemoryBytes": 2**31,
        "Pids": 500,
    }
    assert not any(resources["Reservations"].values())


def test_who_shares_nothing_has_mlflows_own_workspace() -> None:
    closed = Attempt("closed", "m", "p", "s", RUN, 1)
    env = built(told(), closed)["task_template"]["ContainerSpec"]["Env"]
    assert not any(each.startswith("MLFLOW_WORKSPACE") for each in env)


def test_the_sites_own_authority_is_trusted() -> None:
    trusted = HubFile(id="c" * 25, name="nh_trusted-1", target="/etc/ssl/certs/ca.crt")
    [config] = built(told(trusted=trusted))["task_template"]["ContainerSpec"]["Configs"]
    assert config["File"]["Name"] == "/etc/ssl/certs/ca.crt"


def ended(state: str = "failed", code: int | None = None, **changes: Any) -> Task:
    status = {} if code is None else {"ContainerStatus": {"ExitCode": code}}
    return Task.read(task(state, status=status, **changes))


@pytest.mark.parametrize(
    ("last", "line", "words"),
    [
        (ended("complete", 0), "", ""),
        (ended(code=1), "train.ipynb, cell 3: KeyError: 'age'", "KeyError: 'age'"),
        (ended(code=1), "", "exit code 1"),
        (ended(code=2), "usage", "exit code 2"),
        (ended(code=86), "", "It ran out of memory: it may use 1 GB"),
        (ended(code=137), "", "most likely it ran out of memory: it may use 1 GB"),
        (ended(code=87), "", "node-1 has no wall"),
        (None, "", "removed by somebody else"),
        (ended("rejected"), "", "node-1 could not start"),
        (ended("shutdown", DesiredState="shutdown"), "", "It was shutdown on node-1"),
        (ended("running", DesiredState="shutdown"), "", "It ran on node-1, which is down"),
    ],
)
def test_how_it_ended(last: Task | None, line: str, words: str) -> None:
    nodes = {"n1": node(state="down")}
    found = verdict.judge(last, nodes, 2**30, line)
    assert found == Verdict(True) if not words else words in found.words
    assert found.done is not bool(words)


def test_labels_make_the_name() -> None:
    assert step.service_name(LABELS) == NAME
    assert step.directory(LABELS) == DIRECTORY


@pytest.mark.parametrize("pulled", [None, {}, "{}"])
def test_a_step_that_told_nothing(pulled: object) -> None:
    assert facts.told(pulled) == {}


@pytest.mark.parametrize("pulled", [{"drifted": True}, '{"drifted": true}'])
def test_what_a_step_told(pulled: object) -> None:
    assert facts.wanted(facts.told(pulled))
