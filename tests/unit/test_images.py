"""The tree of images: what is built from what, when it is built anew, and in which order."""

import io
import os
import re
import shutil
import tarfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from notehive import docker
from notehive.errors import BadInput, NotehiveError
from notehive.platform import jenkins, site, stack, up
from notehive.platform.images import WORKERS, Builder, Image, Source, tree, with_parents
from notehive.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SITE = {".site/ca.crt": b"certificates"}


def write(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """base <- python <- {app, notebooks-lab}; and app is also built with the help of base."""
    return write(
        tmp_path,
        {
            "base/Dockerfile": "FROM notehive/debian\nCOPY .site/ca.crt base/setup /b/\n",
            "base/setup": "#!/bin/sh\n",
            "python/Dockerfile": "FROM notehive/base\n\nCOPY requirements.txt /tmp/\nRUN true\n",
            "requirements.txt": "uv==1\n",
            "app/Dockerfile": (
                "FROM notehive/base AS build\n"
                "COPY --chmod=0755 --chown=1:1 app/build \\\n    app/src /opt/\n"
                "FROM notehive/python\n"
                "COPY --from=build /opt/out /opt/\n"
                "RUN echo COPY not/this /one\n"
            ),
            "app/build": "make\n",
            "app/src/a.py": "a = 1\n",
            "app/src/deep/b.py": "b = 2\n",
            "app/unused": "nobody copies this\n",
            "notebooks-images/lab/Dockerfile": "FROM notehive/python\n",
        },
    )


def source(root: Path, **other: object) -> Source:
    made = Source(root, SITE, "notehive/debian:trixie", "sha256:debian", "127.0.0.1:5000")
    return replace(made, **other)  # type: ignore[arg-type]


def references(root: Path, **other: object) -> dict[str, str]:
    return source(root, **other).references(tree(root))


def test_tree(clone: Path) -> None:
    images = tree(clone)
    order = list(images)
    assert sorted(order) == ["app", "base", "notebooks-lab", "python"]
    assert order.index("base") < order.index("python") < order.index("app")
    assert order.index("python") < order.index("notebooks-lab")
    assert images["app"].parents == ["base", "python"]
    assert images["app"].inputs == ["app/build", "app/src"]
    assert images["base"].inputs == [".site/ca.crt", "base/setup"]
    assert images["notebooks-lab"].dockerfile == Path("notebooks-images/lab/Dockerfile")


def test_with_parents(clone: Path) -> None:
    images = tree(clone)
    assert with_parents(images, ["notebooks-lab"]) == ["base", "python", "notebooks-lab"]
    assert set(with_parents(images, ["app", "app", "base"])) == {"base", "python", "app"}
    assert with_parents(images, []) == []


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"a/Dockerfile": "FROM notehive/b", "b/Dockerfile": "FROM notehive/a"},
            "a/Dockerfile: is built from itself: a -> b -> a",
        ),
        ({"a/Dockerfile": "FROM notehive/a"}, "a/Dockerfile: is built from itself: a -> a"),
        (
            {
                "a/Dockerfile": "FROM notehive/debian",
                "notebooks-images/x/Dockerfile": "FROM notehive/y",
            },
            "notebooks-images/x/Dockerfile: FROM notehive/y: there is no such image",
        ),
    ],
)
def test_trees_that_are_none(files: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as raised:
        tree(write(tmp_path, files))
    assert str(raised.value) == message


def test_a_missing_file_is_named(clone: Path) -> None:
    (clone / "app/build").unlink()
    with pytest.raises(BadInput, match=r"^app/Dockerfile: COPY app/build: there is no such file$"):
        references(clone)


def test_references_name_registry_image_and_content(clone: Path) -> None:
    for name, reference in references(clone).items():
        assert re.fullmatch(rf"127\.0\.0\.1:5000/notehive/{name}:[0-9a-f]{{16}}", reference)


def rename(old: str, new: str) -> Callable[[Path], object]:
    return lambda root: (root / old).rename(root / new)


def swallow(name: str, next_name: str) -> Callable[[Path], object]:
    """One file holds what stood for two: its own content, and the other's name and content."""

    def change(root: Path) -> None:
        content, other = (root / name).read_text(), (root / next_name).read_text()
        (root / name).write_text(f"{content}\0{next_name}\0{0o644}\0{other}")
        (root / next_name).unlink()

    return change


def append(name: str) -> Callable[[Path], object]:
    return lambda root: write(root, {name: (root / name).read_text() + "#\n"})


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        (append("app/src/deep/b.py"), {"app"}),
        (rename("app/src/deep/b.py", "app/src/deep/c.py"), {"app"}),
        (rename("app/src/deep", "app/src/deeper"), {"app"}),
        (lambda root: (root / "app/build").chmod(0o755), {"app"}),
        (lambda root: write(root, {"app/src/new.py": ""}), {"app"}),
        (lambda root: (root / "app/src/a.py").unlink(), {"app"}),
        # The same bytes, cut into other files
        (
            lambda root: write(root, {"app/src/a.py": "a = ", "app/src/deep/b.py": "1\nb = 2\n"}),
            {"app"},
        ),
        (swallow("app/src/a.py", "app/src/deep/b.py"), {"app"}),
        (append("app/Dockerfile"), {"app"}),
        (append("requirements.txt"), {"python", "app", "notebooks-lab"}),
        (append("base/Dockerfile"), {"base", "python", "app", "notebooks-lab"}),
        # Nothing of this goes into an image.
        (append("app/unused"), set()),
        (lambda root: os.utime(root / "app/build", (1, 1)), set()),
        (lambda root: (root / "app/build").chmod(0o600), set()),  # git keeps only the x
        (lambda root: write(root, {"app/src/__pycache__/a.pyc": "x"}), set()),
        (lambda root: write(root, {"app/src/deep/__pycache__/a/b.pyc": "x"}), set()),
    ],
)
def test_what_makes_an_image_new(
    change: Callable[[Path], object], changed: set[str], clone: Path
) -> None:
    before = references(clone)
    change(clone)
    after = references(clone)
    assert {name for name in after if after[name] != before[name]} == changed


@pytest.mark.parametrize(
    ("other", "all_new"),
    [
        ({"debian_id": "sha256:patched"}, True),
        ({"site": {".site/ca.crt": b"others"}}, True),
        ({"debian": "another name of the same"}, False),
    ],
)
def test_what_makes_all_images_new(other: dict[str, object], all_new: bool, clone: Path) -> None:
    before, after = references(clone), references(clone, **other)
    assert [after[name] != before[name] for name in after] == [all_new] * 4


def test_another_registry_port_builds_the_same(clone: Path) -> None:
    """The tag is of the content alone, so a changed port costs names and no builds."""
    moved = references(clone, registry="127.0.0.1:6000")
    tags = {name: reference.rpartition(":")[2] for name, reference in references(clone).items()}
    assert {name: reference.rpartition(":")[2] for name, reference in moved.items()} == tags


def test_another_clone_makes_the_same(
    clone: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other") / "clone"
    shutil.copytree(clone, other)
    assert references(other) == references(clone)


def test_context(clone: Path) -> None:
    (clone / "app/build").chmod(0o750)
    images, made = tree(clone), source(clone)
    names = made.references(images)
    content = made.context(images["app"], names)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members = {member.name: member.mode for member in archive.getmembers()}
        dockerfile = archive.extractfile("Dockerfile").read().decode()  # type: ignore[union-attr]
    assert members == {
        "Dockerfile": 0o644,
        "app/build": 0o755,
        "app/src/a.py": 0o644,
        "app/src/deep/b.py": 0o644,
    }
    froms = re.findall(r"^FROM .*$", dockerfile, re.M)
    assert froms == [f"FROM {names['base']} AS build", f"FROM {names['python']}"]
    assert "COPY --from=build /opt/out /opt/\n" in dockerfile
    # The same again: Docker's own cache looks at it too.
    assert made.context(images["app"], names) == content


def test_context_of_the_base(clone: Path) -> None:
    images, made = tree(clone), source(clone)
    content = made.context(images["base"], made.references(images))
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        assert archive.extractfile(".site/ca.crt").read() == b"certificates"  # type: ignore[union-attr]
        text = archive.extractfile("Dockerfile").read()  # type: ignore[union-attr]
    assert b"FROM notehive/debian:trixie\n" in text


class StandInBuilder(Builder):
    """A stand-in that builds nothing: it notes begin and end, and fails or waits as told."""

    def __init__(self, *, fail: str = "", together: frozenset[str] = frozenset()) -> None:
        super().__init__(source(Path("/")), Path("/"), {})
        self.fail, self.together = fail, together
        self.meeting = threading.Barrier(max(len(together), 1))
        self.events: list[str] = []

    def build(
        self, image: Image, references: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self.events.append(f"+{image.name}")
        if image.name in self.together:
            self.meeting.wait(5)  # breaks unless all of them are built at once
        if image.name == self.fail:
            raise BadInput(f"{image.name} failed")
        if self.fail and image.name in self.together and not self._stop.wait(5):
            self.events.append(f"nobody stopped {image.name}")
        self.events.append(f"-{image.name}")


def build_all(builder: Builder, clone: Path, missing: list[str]) -> None:
    def run(name: str, work: Callable[[Callable[[str], None]], None]) -> None:
        work(lambda line: None)

    builder.build_all(tree(clone), missing, {}, run)


def test_builds_in_order_two_at_once(clone: Path) -> None:
    builder = StandInBuilder(together=frozenset(["app", "notebooks-lab"]))
    build_all(builder, clone, ["notebooks-lab", "app", "python", "base"])
    assert builder.events[:4] == ["+base", "-base", "+python", "-python"]
    assert sorted(builder.events[4:]) == ["+app", "+notebooks-lab", "-app", "-notebooks-lab"]


def test_builds_only_what_is_missing(clone: Path) -> None:
    builder = StandInBuilder()
    build_all(builder, clone, ["app"])
    assert builder.events == ["+app", "-app"]


def test_no_more_than_the_workers_at_once(tmp_path: Path) -> None:
    names = "abcdef"
    write(tmp_path, {f"{name}/Dockerfile": "FROM notehive/debian" for name in names})
    builder = StandInBuilder()
    build_all(builder, tmp_path, list(names))
    now = most = 0
    for event in builder.events:
        now += 1 if event[0] == "+" else -1
        most = max(most, now)
    assert len(builder.events) == 12
    assert most <= WORKERS


def test_a_failed_build_ends_the_others(clone: Path) -> None:
    write(clone, {"later/Dockerfile": "FROM notehive/notebooks-lab"})
    builder = StandInBuilder(fail="app", together=frozenset(["app", "notebooks-lab"]))
    with pytest.raises(BadInput, match=r"^app failed$"):
        build_all(builder, clone, ["app", "notebooks-lab", "later"])
    assert sorted(builder.events) == ["+app", "+notebooks-lab", "-notebooks-lab"]


@pytest.fixture
def stand_in_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for Docker's client: it keeps its input and arguments, then does a script."""
    program, place = tmp_path / "bin/docker", tmp_path / "seen"
    write(tmp_path, {"bin/docker": f"#!/bin/sh\necho $* $DOCKER_BUILDKIT >{place}\n. {place}.do\n"})
    program.chmod(0o755)
    monkeypatch.setattr(docker, "client", lambda: str(program))
    return place


def real_builder(clone: Path, tmp_path: Path) -> tuple[Builder, dict[str, str]]:
    logs = tmp_path / "logs"
    logs.mkdir()
    made = source(clone)
    return Builder(made, logs, {"mirrors": "/w/mirrors.sh"}), made.references(tree(clone))


def test_one_build(clone: Path, stand_in_docker: Path, tmp_path: Path) -> None:
    Path(f"{stand_in_docker}.do").write_text(
        f"cat >{tmp_path}/context\necho '#7 [2/3] RUN true'\necho '#7 0.123 hello'\n"
    )
    builder, names = real_builder(clone, tmp_path)
    said: list[str] = []
    builder.build(tree(clone)["app"], names, said.append)
    assert stand_in_docker.read_text().split() == [
        *("build", "--progress=plain", "--tag", names["app"]),
        *("--secret", "id=mirrors,src=/w/mirrors.sh", "-", "1"),
    ]
    assert said == ["[2/3] RUN true", "hello"]
    with tarfile.open(tmp_path / "context") as archive:
        assert "app/build" in archive.getnames()
    assert "#7 0.123 hello" in (tmp_path / "logs/app.log").read_text()


def test_a_failing_build_shows_the_end_of_its_log(
    clone: Path, stand_in_docker: Path, tmp_path: Path
) -> None:
    Path(f"{stand_in_docker}.do").write_text("seq 20\necho\necho no space left\nexit 1\n")
    builder, names = real_builder(clone, tmp_path)
    with pytest.raises(BadInput) as raised:
        builder.build(tree(clone)["app"], names, lambda line: None)
    *context, line = str(raised.value).splitlines()
    assert context == [*map(str, range(14, 21)), "no space left"]
    assert line == (
        "app/Dockerfile: the build failed (exit code 1); nothing of the running stack was "
        f"changed; full log: {tmp_path}/logs/app.log"
    )


def test_a_stopped_build_has_not_succeeded(
    clone: Path, stand_in_docker: Path, tmp_path: Path
) -> None:
    Path(f"{stand_in_docker}.do").write_text("echo begun\nsleep 60\n")
    builder, names = real_builder(clone, tmp_path)
    with pytest.raises(NotehiveError, match="app/Dockerfile: its build was stopped"):
        builder.build(tree(clone)["app"], names, lambda line: builder._stop.set())


# The real tree


def test_everything_that_is_copied_exists() -> None:
    images = tree(ROOT)
    made = replace(source(ROOT), site=site.base_files(Settings()))
    for image in images.values():
        assert len(made.files(image)) >= len(image.inputs), image.name  # raises for what is not


def test_every_image_of_the_stack_has_a_dockerfile() -> None:
    images, wanted = tree(ROOT), up.wanted_images(Settings())
    assert {"hub", "nginx", "postgres", "notebooks-datascience"} <= set(wanted) <= set(images)
    for service in stack.wanted(Settings())["services"].values():
        assert image_of(service) in images


def image_of(service: dict[str, Any]) -> str:
    """Name of the image that a service of stack.yml runs."""
    if service["image"] == "$FORWARDER":  # another name of Nginx's image: see distribute.forwarder
        return "nginx"
    match = stack.IMAGE_VARIABLE.fullmatch(service["image"])
    assert match, service["image"]
    return match[1].lower()


@pytest.mark.parametrize("image", tree(ROOT).values(), ids=lambda image: image.name)
def test_dockerfiles(image: Image) -> None:
    instructions = "\n".join(
        line for line in image.text.splitlines() if not line.lstrip().startswith("#")
    )
    # Addresses come from the site's own settings.
    assert not re.search(r"https?://", instructions)
    # All that goes in is found by its COPY lines; so nothing comes in by another way.
    assert not re.search(r"^ADD\b|--mount=type=bind|^COPY.*\[", instructions, re.M)
    # Each stage stands on an image of ours, but for Jenkins: on the one that `up` pulls.
    froms = re.findall(r"^FROM\s.*$", instructions, re.M | re.I)
    outside = [f"FROM {jenkins.base()}"] if image.name == "jenkins" else []
    assert len(froms) == len(image.parents) + len(outside) > 0
    assert set(outside) <= set(froms)


def test_no_requirement_comes_from_an_address() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        assert not re.search(r"https?://|--index|--extra-index", path.read_text()), path
    lock = ROOT / "proxy/package-lock.json"
    assert '"resolved"' not in lock.read_text()


@pytest.mark.parametrize("image", ["airflow", "builder", "git", "hub", "mlflow"])
def test_an_image_has_all_modules_that_it_imports(image: str) -> None:
    """Its Dockerfile names the files of the package one by one."""
    made = source(ROOT)
    copied = {Path(name) for name in made.files(tree(ROOT)[image]) if name.endswith(".py")}
    for path in copied:
        imported = re.findall(
            r"^\s*(?:from|import) (notehive(?:\.\w+)*)(?: import (.+))?$",
            (ROOT / path).read_text(),
            re.M,
        )
        for module, names in imported:
            for name in [module, *(f"{module}.{n.strip()}" for n in names.split(","))]:
                file = Path("src", *name.split("."))
                known = [file.with_suffix(".py"), file / "__init__.py"]
                there = [one for one in known if (ROOT / one).exists()]
                assert copied.issuperset(there), f"{path} imports {name}"


def test_the_stack_runs_no_command_that_is_not_in_its_image() -> None:
    """Paths below /opt/notehive are those that the images copy there."""
    made, images = replace(source(ROOT), site=site.base_files(Settings())), tree(ROOT)
    for name, service in yaml.safe_load(stack.FILE.read_text())["services"].items():
        image = images[image_of(service)]
        for word in service.get("command", []):
            if word.startswith("/opt/notehive/"):
                assert word.removeprefix("/opt/notehive/") in made.files(image), name
