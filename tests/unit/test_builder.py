"""What the builder reads of a project, and what it tells Docker; without Docker."""

import io
import re
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from notehive import docker
from notehive.builder import commands, dependencies, dockerfiles, engine, labels, recipe, tidy
from notehive.builder.config import BuilderConfig, JobSize, NotebookImage
from notehive.builder.program import reason
from notehive.builder.recipe import Recipe
from notehive.builder.requirements import Requirement, read
from notehive.builder.wanted import Wanted, WantedBuild
from notehive.errors import BadInput
from notehive.platform import stack
from notehive.settings import parse

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WANTED = WantedBuild(group="lab", name="churn", commit=COMMIT)
POLARS = Requirement("polars", "polars==1.30")


@pytest.fixture(autouse=True)
def _client(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name in place of the machine's client."""
    monkeypatch.setattr(docker, "client", lambda: "docker")


# What is asked for


@pytest.mark.parametrize(
    "change",
    [
        {"group": "../lab"},
        {"group": "Lab"},
        {"group": "lab-"},
        {"group": ""},
        {"group": "a" * 25},
        {"group": 1},
        {"name": "c"},
        {"name": "churn\n"},
        {"name": "churn/../other"},
        {"name": "a" * 41},
        {"commit": "main"},
        {"commit": COMMIT.upper()},
        {"commit": COMMIT + "\n"},
        {"commit": COMMIT[:39]},
        {"fresh": "yes"},
        {"other": 1},
    ],
)
def test_what_is_not_asked_for_like_that(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WantedBuild.model_validate(WANTED.model_dump() | change)


def test_names() -> None:
    assert WANTED.image(5000) == f"127.0.0.1:5000/models/lab/churn:{COMMIT}"
    assert WANTED.repository(Path("/srv/git")) == Path("/srv/git/lab/churn.git")
    assert Wanted.model_validate(WANTED.model_dump(exclude={"fresh"})).model == "lab/churn"


# requirements.txt


def test_requirements() -> None:
    text = (
        "# what it needs\n\n"
        "Polars ==1.30  # quick\n"
        "scikit_learn[extra]>=1.7,<2; python_version >= '3.13'\n"
        "tiny==1 \\\n"
        "    --hash=sha256:ab \\\n"
        "    --hash=sha256:cd\n"
    )
    assert list(read(text)) == [
        Requirement("polars", "Polars==1.30"),
        Requirement("scikit-learn", 'scikit_learn[extra]<2,>=1.7; python_version >= "3.13"'),
        Requirement("tiny", "tiny==1 --hash=sha256:ab --hash=sha256:cd"),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--index-url https://evil.example/simple", "options are not taken"),
        ("-r other.txt", "options are not taken"),
        ("-e .", "options are not taken"),
        ("./wheels/tiny-1.0-py3-none-any.whl", "paths are not taken"),
        ("/etc/passwd", "paths are not taken"),
        ("tiny @ file:///etc/passwd", "addresses are not taken"),
        ("tiny @ https://evil.example/tiny.whl", "addresses are not taken"),
        ("git+https://evil.example/tiny", "paths are not taken"),
        ("tiny==1 --global-option=x", "is no requirement"),
        ("tiny==1 \\\n --index-url=https://evil.example", "is no requirement"),
        ("tiny 1", "is no requirement"),
    ],
)
def test_requirements_that_are_refused(line: str, said: str) -> None:
    with pytest.raises(BadInput, match=rf"^requirements\.txt:2: .*{said}"):
        list(read(f"polars\n{line}\n"))


# model.yml


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "model.yml").write_text("name: churn\nimage: base\n")
    return tmp_path


def test_recipe(project: Path) -> None:
    assert recipe.read(project) == Recipe("churn", "base")
    (project / "requirements.txt").write_text("polars==1.30\n")
    (project / "model.yml").write_text(
        "{name: viz, image: base, kind: image, packages: [graphviz, fonts-dejavu, graphviz]}"
    )
    packages = ("fonts-dejavu", "graphviz")
    assert recipe.read(project) == Recipe("viz", "base", "image", packages, (POLARS,))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "should be keys and values"),
        ("[churn]", "should be keys and values"),
        ("name: [", "cannot be read"),
        ("name: churn", "image: is missing"),
        ("{name: 1, image: base}", "name: is missing, or no text"),
        ("{name: churn, image: base, kind: job}", "kind: should be model or image"),
        ("{name: churn, image: base, packages: [gcc]}", "only with `kind: image`"),
        ("{name: churn, image: base, kind: image, packages: gcc}", "should be a list"),
        ("{name: churn, image: base, kind: image, packages: [-o, x]}", "no name of a Debian pa"),
        ("{name: churn, image: base, kind: image, packages: ['gcc=1']}", "no name of a Debian pa"),
    ],
)
def test_recipes_that_are_refused(project: Path, text: str, said: str) -> None:
    (project / "model.yml").write_text(text)
    with pytest.raises(BadInput, match=rf"^model\.yml: .*{said}"):
        recipe.read(project)


def test_the_sizes_that_are_named(project: Path) -> None:
    (project / "model.yml").write_text(
        "{name: churn, image: base, size: small, pipelines: {etl: [x], odd: {steps: x},"
        " train: {size: large, steps: [a.ipynb, {run: b.ipynb, size: huge}, {size: 3}]}}}"
    )
    found = recipe.read(project)
    assert found.size == "small"
    assert found.sizes == (
        ("size", "small"),
        ("pipelines.train.size", "large"),
        ("pipelines.train.steps[1].size", "huge"),
    )


def test_a_project_without_recipe(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^model\.yml: there is none"):
        recipe.read(tmp_path)


# What Docker is told


def test_the_dockerfile_of_a_model() -> None:
    assert dockerfiles.model("127.0.0.1:5000/notehive/dependencies:1234", 1700000000) == (
        "FROM 127.0.0.1:5000/notehive/dependencies:1234 AS files\n"
        "USER root\n"
        "COPY project/ /files/opt/model/\n"
        "RUN find /files -exec touch --no-dereference --date=@1700000000 {} + ; \\\n"
        "    python3 -IS -m compileall -qq -s /files -p / /files || true; \\\n"
        "    find /files -exec touch --no-dereference --date=@1700000000 {} +\n"
        "\n"
        "FROM 127.0.0.1:5000/notehive/dependencies:1234\n"
        "COPY --from=files /files/ /\n"
        "WORKDIR /opt/model\n"
        "USER jovyan\n"
    )


def test_the_dockerfile_of_dependencies() -> None:
    assert dockerfiles.dependencies("base:1", packages=True, wheels=True) == (
        "FROM base:1 AS platform\n"
        "\n"
        "FROM base:1\n"
        "USER root\n"
        "RUN --mount=type=bind,source=packages,target=/tmp/packages \\\n"
        "    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \\\n"
        "      /tmp/packages/*.deb \\\n"
        "    && rm -rf /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old "
        "/var/lib/dpkg/*-old\n"
        "RUN --mount=type=bind,source=wheels,target=/tmp/wheels \\\n"
        "    uv pip install --system --offline --no-index --no-deps --no-cache --link-mode=copy "
        "\\\n"
        "      --compile-bytecode /tmp/wheels/*.whl\n"
        "# With these a container waits for its walls; a wheel may bring files of any name.\n"
        "COPY --from=platform /usr/local/bin/walled /usr/local/bin/docker-entrypoint "
        "/usr/local/bin/\n"
        "USER jovyan\n"
    )
    # What the image has already needs no step.
    nothing = dockerfiles.dependencies("base:1", packages=False, wheels=False)
    assert nothing == "FROM base:1 AS platform\n\nFROM base:1\nUSER root\nUSER jovyan\n"
    assert dockerfiles.notebook_image("base:1") == "FROM base:1\nUSER jovyan\n"


def test_steps_of_a_build_have_no_network() -> None:
    command = commands.build("tag:1", Path("/c"), Path("/d"), {"a": "b"}, fresh=False)
    assert command == [
        *("docker", "build", "--progress=plain", "--network=none", "--provenance=false"),
        *("--file", "/d", "--tag", "tag:1", "--label", "a=b", "/c"),
    ]
    assert "--no-cache" in commands.build("tag:1", Path("/c"), Path("/d"), {}, fresh=True)


def test_what_is_fetched_is_fetched_without_network_and_rights() -> None:
    command = commands.gather("nh-gather-1", "base:1", "nh_builder-door", {"a": "b"}, "print()")
    assert command == [
        *("docker", "run", "--name", "nh-gather-1", "--interactive", "--init", "--network=none"),
        *("--user=1000:100", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
        *("--cpus=2", "--memory=2g", "--memory-swap=2g", "--pids-limit=500"),
        *("--log-driver=none", "--workdir=/tmp", "--env=HOME=/tmp"),
        *("--mount", "type=volume,source=nh_builder-door,target=/run/notehive-door,readonly"),
        *("--label", "a=b", "--entrypoint=python3", "base:1", "-I", "-c", "print()"),
    ]


def test_dependencies_are_those_of_a_group_an_image_and_what_is_asked() -> None:
    wanted = Recipe("churn", "base", requirements=(POLARS,))
    key = dependencies.digest("lab", wanted, "sha256:1")
    # Another model, or the same with other files.
    assert dependencies.digest("lab", replace(wanted, name="other"), "sha256:1") == key
    others = {
        dependencies.digest("guild", wanted, "sha256:1"),
        dependencies.digest("lab", wanted, "sha256:2"),
        dependencies.digest("lab", replace(wanted, packages=("gcc",)), "sha256:1"),
        dependencies.digest(
            "lab", replace(wanted, requirements=(Requirement("polars", "polars"),)), "sha256:1"
        ),
    }
    assert len(others | {key}) == 5


def test_labels_say_what_an_image_is_of() -> None:
    told = labels.of_model("nh", WANTED, "base", ("base:1", "sha256:1"), "1234")
    created = told.pop("org.opencontainers.image.created")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", created)
    assert told == {
        "notehive.builder": "nh",
        "notehive.kind": "model-image",
        "notehive.group": "lab",
        "notehive.model": "churn",
        "notehive.commit": COMMIT,
        "notehive.image": "base",
        "notehive.dependencies": "1234",
        "org.opencontainers.image.base.name": "base:1",
        "org.opencontainers.image.base.digest": "sha256:1",
        "org.opencontainers.image.revision": COMMIT,
    }


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["Collecting x", "ERROR: No matching distribution found for x", ""],
         "No matching distribution found for x"),
        (["ERROR: Cannot install a and b", "ERROR: ResolutionImpossible: for help visit"],
         "Cannot install a and b"),
        (["ERROR: Cannot install -r x (line 1) because these package versions have conflicting "
          "dependencies.", "The conflict is caused by:", "a 1.0 depends on b<2",
          "The user requested (constraint) b==2.1", "To fix this you could try to:",
          "ERROR: ResolutionImpossible: for help visit"],
         "a 1.0 depends on b<2, but the notebook image has b==2.1"),
        (["E: Unable to locate package x"], "Unable to locate package x"),
        (["#5 ERROR: executor failed", "ERROR: failed to solve: x"], "failed to solve: x"),
        (["some words", " "], "some words"),
        ([], ""),
    ],
)  # fmt: skip
def test_the_reason_of_a_failure(lines: list[str], said: str) -> None:
    assert reason(lines) == said


# What the settings say


def test_what_the_builder_is_told() -> None:
    settings = parse(
        "name: nh\n"
        "images: {base: {}, risky: {image: 'registry/risky:1'}, open: {image: 'registry/open:1'}}\n"
        "groups: {risk: {images: [risky, open]}, everyone: {images: [open]}}\n"
    )
    told = stack.builder_config(settings, {"notebooks-base": "127.0.0.1:5000/base:1"})
    assert (told.stack, told.registry_port, told.push_port) == ("nh", 5000, 5001)
    assert told.notebook_image("base", "lab").reference == "127.0.0.1:5000/base:1"
    assert told.notebook_image("risky", "risk").reference == "registry/risky:1"
    assert told.notebook_image("open", "lab").reference == "registry/open:1"
    for key in ("risky", "none"):
        with pytest.raises(BadInput, match=rf"image: {key}: .*; there are base, open$"):
            told.notebook_image(key, "lab")


def test_sizes_that_the_builder_is_told() -> None:
    settings = parse(
        "name: nh\n"
        "sizes: {small: {limit: {cpu: 1, memory: 1G}}, large: {limit: {cpu: 8, memory: 16G}}}\n"
        "groups: {risk: {sizes: [large]}}\n"
    )
    told = stack.builder_config(settings, {"notebooks-base": "b", "notebooks-datascience": "d"})
    assert told.constraint == "node.labels.notehive.nh.data == true"
    assert told.size("small", "lab") == JobSize(cpu=1, memory=2**30, pids=1024, groups=[])
    assert told.size("large", "risk").memory == 2**34
    with pytest.raises(BadInput) as failed:
        told.size("large", "lab", "pipelines.train.size")
    assert str(failed.value) == (
        "model.yml: pipelines.train.size: large: there is none for the group lab; there are small"
    )


# What containers give


def test_only_plain_files_are_taken_out_of_what_was_gathered(tmp_path: Path) -> None:
    archive = tmp_path / "gathered.tar"
    with tarfile.open(archive, "w") as made:
        for name in (
            "out/tiny-1.0-py3-none-any.whl",
            "out/../../evil.whl",
            "out/deep/evil.whl",
            "out/.whl",
            "out/evil.pth",
            "evil.whl",
            "/out/x.whl",
        ):
            entry = tarfile.TarInfo(name)
            entry.size = 5
            made.addfile(entry, io.BytesIO(b"bytes"))
        link = tarfile.TarInfo("out/link.whl")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        made.addfile(link)
    assert engine.unpack(archive, dependencies.ENDINGS["wheels"], tmp_path / "to") == 1
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"gathered.tar", "to/tiny-1.0-py3-none-any.whl"}


# What is removed


def image(kind: str, created: int, key: str, name: str = "churn", tag: str = "x:1") -> Any:
    return {
        "Id": f"sha256:{created}",
        "Created": created,
        "RepoTags": [tag] if tag else None,
        "Labels": {
            labels.KIND: kind,
            labels.GROUP: "lab",
            labels.NAME: name,
            labels.DEPENDENCIES_KEY: key,
        },
    }


def test_the_newest_images_are_kept_and_what_they_stand_on() -> None:
    old, now = 1, tidy.DEPENDENCIES_SECONDS + 100
    found = [image(labels.MODEL, created, f"k{created}") for created in range(1, 7)]
    found += [
        image(labels.MODEL, 1, "k9", name="other"),
        image(labels.MODEL, 9, "k8", tag=""),
        image(labels.DEPENDENCIES, old, "k4"),
        image(labels.DEPENDENCIES, old, "k3"),
        image(labels.DEPENDENCIES, now, "k2"),
        image(labels.DEPENDENCIES, now, "k6", tag="<none>:<none>"),
        image(labels.DEPENDENCIES, old, "k9"),
    ]
    gone = [
        (each["Labels"][labels.KIND], each["Labels"][labels.DEPENDENCIES_KEY])
        for each in tidy.superfluous(found, now)
    ]
    assert sorted(gone) == [
        (labels.DEPENDENCIES, "k3"),
        (labels.DEPENDENCIES, "k6"),
        (labels.MODEL, "k1"),
        (labels.MODEL, "k2"),
        (labels.MODEL, "k3"),
        (labels.MODEL, "k8"),
    ]


def test_an_image_of_the_builders_configuration() -> None:
    config = BuilderConfig(
        stack="nh",
        registry_port=1,
        push_port=2,
        images={"base": NotebookImage(reference="x", groups=[])},
        sizes={"small": JobSize(cpu=1, memory=2, pids=3, groups=["lab"])},
        constraint="node.id == n1",
    )
    assert BuilderConfig.model_validate_json(config.model_dump_json()) == config
