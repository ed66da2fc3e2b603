"""What is published of a release, from a real repository."""

import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from notehive.api.publish import Publisher
from notehive.errors import BadInput
from notehive.git.repositories import Repositories, Repository
from notehive.jobs import release
from notehive.models import project
from tests.unit.conftest import hub_config

IMAGE = "127.0.0.1:5000/models/red/churn@sha256:" + "ab" * 32
CONFIG = hub_config()
SIZES = "sizes: {small: {title: Small, limit: {cpu: 1, memory: 1G}}}"
MODEL = "name: churn\nimage: base\nsize: small\npipelines: {train: {steps: [train.ipynb]}}\n"


@pytest.fixture
def churn(tmp_path: Path) -> Repository:
    return Repositories(tmp_path).make("red", "churn")


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(CONFIG, tmp_path / "models")


def committed(repository: Repository, text: str | None, dag: str = "") -> str:
    """Make a commit with this model.yml, and with a file in dags/; give its id."""
    git = ["git", "-C", str(repository.path), "-c", "user.name=a", "-c", "user.email=a@b"]

    def run(*args: str, given: str = "") -> str:
        said = subprocess.run(
            [*git, *args], input=given, stdout=subprocess.PIPE, text=True, check=True
        )
        return said.stdout.strip()

    blob = run("hash-object", "-w", "--stdin", given=text or "")
    name = "README.md" if text is None else project.FILE
    listed = f"100644 blob {blob}\t{name}\n"
    if dag:
        mode = "120000" if dag.startswith("/") else "100644"  # a link that leads there
        file = run("hash-object", "-w", "--stdin", given=dag)
        folder = run("mktree", given=f"{mode} blob {file}\town.py\n")
        listed = f"040000 tree {folder}\tdags\n{listed}"
    tree = run("mktree", given=listed)
    return run("commit-tree", "-m", "x", tree)


def test_a_release_is_read_as_airflow_reads_it(publisher: Publisher, churn: Repository) -> None:
    commit = committed(churn, MODEL)
    publisher.publish(churn, commit, IMAGE, "ana")
    assert list(release.published(publisher.root)) == [("red", "churn")]
    found = release.read(publisher.root, "red", "churn")
    size = CONFIG.sizes["small"]
    assert (found.commit, found.image, found.published_by) == (commit, IMAGE, "ana")
    assert found.size == {"cpu": size.limit.cpu, "memory": size.limit.memory, "pids": size.pids}
    assert datetime.fromisoformat(found.published_at).tzinfo
    assert project.from_json(found.model).pipelines.keys() == {"train"}
    assert [task.run for task in found.tasks("train")] == ["train.ipynb"]


def test_the_last_release_counts_and_earlier_ones_stay(
    publisher: Publisher, churn: Repository
) -> None:
    first = committed(churn, MODEL)
    publisher.publish(churn, first, IMAGE, "ana")
    second = committed(churn, MODEL + "# more\n")
    publisher.publish(churn, second, IMAGE, "bea")
    model = publisher.root / "red" / "churn"
    assert release.read(publisher.root, "red", "churn").published_by == "bea"
    assert {path.name for path in (model / "releases").iterdir()} == {first, second}
    publisher.publish(churn, first, IMAGE, "ana")  # an earlier commit once more
    assert release.read(publisher.root, "red", "churn").commit == first
    assert sorted(path.name for path in model.iterdir()) == ["current", "releases"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (None, "model.yml: is missing in commit"),
        (MODEL.replace("small", "huge"), "model.yml: size: huge: there is none; there are "),
        (MODEL + "nmae: x", "model.yml: nmae"),
        ("name: [", "model.yml: "),
    ],
)
def test_what_cannot_be_published_changes_nothing(
    publisher: Publisher, churn: Repository, text: str | None, wrong: str
) -> None:
    good = committed(churn, MODEL)
    publisher.publish(churn, good, IMAGE, "ana")
    with pytest.raises(BadInput, match=wrong):
        publisher.publish(churn, committed(churn, text), IMAGE, "ana")
    assert release.read(publisher.root, "red", "churn").commit == good


def test_dags_of_a_group_that_may_write_some(publisher: Publisher, churn: Repository) -> None:
    current = publisher.root / "red" / "churn" / "current" / "dags" / "own.py"
    publisher.publish(churn, committed(churn, MODEL, "one"), IMAGE, "ana")
    assert not current.exists(), "nobody has allowed it"

    allowed = Publisher(hub_config("groups: {red: {dags: true}}\n" + SIZES), publisher.root)
    allowed.settle()
    for _ in range(2):
        allowed.publish(churn, committed(churn, MODEL, "two"), IMAGE, "ana")
        assert current.read_text() == "two"
    ignored = (publisher.root / ".airflowignore").read_text()
    assert ignored == "*/*/releases/\n"
    allowed.publish(churn, committed(churn, MODEL + "#"), IMAGE, "ana")
    assert not current.exists()

    with pytest.raises(BadInput, match="dags/: "):
        allowed.publish(churn, committed(churn, MODEL, "/etc/passwd"), IMAGE, "ana")
    allowed.publish(churn, committed(churn, MODEL, "two"), IMAGE, "ana")
    publisher.settle()
    assert not current.exists(), "nobody allows it any more"
    assert release.read(publisher.root, "red", "churn").published_by == "ana"


def test_an_image_has_no_jobs(publisher: Publisher, churn: Repository) -> None:
    text = "name: churn\nkind: image\ntitle: Churn\nimage: base\n"
    publisher.publish(churn, committed(churn, text), IMAGE, "ana")
    found = release.read(publisher.root, "red", "churn")
    assert (found.size, found.pipelines, found.model["title"]) == ({}, {}, "Churn")
