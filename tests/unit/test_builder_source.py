"""A commit's files: from real repositories, whatever is in them."""

from pathlib import Path

import pytest

from notehive.builder import source as module
from notehive.builder.source import Source
from notehive.errors import BadInput
from tests.support.repository import TIME, Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path, "lab/churn")


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "empty.git")


def test_files_and_modes(repository: Repository, source: Source, tmp_path: Path) -> None:
    (repository.clone / "notebooks").mkdir()
    (repository.clone / "notebooks/train.ipynb").write_text("{}")
    (repository.clone / "run").write_text("#!/bin/sh\n")
    (repository.clone / "run").chmod(0o777)
    (repository.clone / "latest").symlink_to("notebooks/train.ipynb")
    commit = repository.commit()
    (repository.clone / "run").unlink()
    repository.commit()
    to = tmp_path / "to"
    assert source.export(repository.bare, commit, to) == TIME
    found = {str(path.relative_to(to)): path.lstat() for path in sorted(to.rglob("*"))}
    assert list(found) == ["latest", "notebooks", "notebooks/train.ipynb", "run"]
    assert (to / "latest").read_text() == "{}"
    assert [found[name].st_mode & 0o777 for name in ("notebooks/train.ipynb", "run")] == [
        0o644,
        0o755,
    ]
    # Two builds' files are never taken for the same by size and time.
    source.export(repository.bare, commit, tmp_path / "again")
    assert (tmp_path / "again/run").stat().st_mtime_ns > found["run"].st_mtime_ns


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "notebooks/../../x"])
def test_a_link_out_of_the_project(
    repository: Repository, source: Source, tmp_path: Path, target: str
) -> None:
    (repository.clone / "data").symlink_to(target)
    with pytest.raises(BadInput, match=r"^data: leads out of the project"):
        source.export(repository.bare, repository.commit(), tmp_path / "to")


def test_a_submodule(repository: Repository, source: Source, tmp_path: Path) -> None:
    (repository.clone / "a").write_text("a")
    head = repository.commit()
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{head},lib")
    repository.git("commit", "--quiet", "--message=lib")
    repository.git("push", "--quiet", "origin", "HEAD")
    with pytest.raises(BadInput, match=r"^lib: is a submodule"):
        source.export(repository.bare, repository.git("rev-parse", "HEAD"), tmp_path / "to")


def test_a_file_of_git_lfs(repository: Repository, source: Source, tmp_path: Path) -> None:
    (repository.clone / "data.parquet").write_bytes(module.POINTER + b"v1\noid sha256:1\nsize 1\n")
    with pytest.raises(BadInput, match=r"^data\.parquet: is kept by Git LFS"):
        source.export(repository.bare, repository.commit(), tmp_path / "to")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("LARGEST", 1 << 20, "the project has 3 MB; 1 are the most"),
     ("MOST_FILES", 1, "the project has 2 files; 1 are the most")],
)  # fmt: skip
def test_too_much(
    repository: Repository,
    source: Source,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: int,
    said: str,
) -> None:
    monkeypatch.setattr(module, name, value)
    (repository.clone / "zeros").write_bytes(bytes(3 << 20))
    (repository.clone / "a").write_text("a")
    with pytest.raises(BadInput, match=f"^{said}"):
        source.export(repository.bare, repository.commit(), tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_nothing_that_a_repository_is_configured_with_is_run(
    repository: Repository, source: Source, tmp_path: Path
) -> None:
    """Git itself would run a filter that the repository's configuration names."""
    (repository.clone / "a.txt").write_text("a")
    (repository.clone / ".gitattributes").write_text("*.txt filter=evil\n")
    commit = repository.commit()
    evil = f"sh -c 'touch {tmp_path}/run; cat'"
    repository.git("config", "filter.evil.smudge", evil, at=repository.bare)
    repository.git("archive", "--output=/dev/null", commit, at=repository.bare)
    assert (tmp_path / "run").exists(), "this test would see it"
    (tmp_path / "run").unlink()
    source.export(repository.bare, commit, tmp_path / "to")
    assert (tmp_path / "to/a.txt").read_text() == "a"
    assert not (tmp_path / "run").exists()


def test_what_is_not_there(repository: Repository, source: Source, tmp_path: Path) -> None:
    (repository.clone / "a").write_text("a")
    commit = repository.commit()
    tree = repository.git("rev-parse", "HEAD^{tree}")
    for other in ("0" * 40, tree):
        with pytest.raises(BadInput, match=f"^lab/churn: no commit {other}"):
            source.export(repository.bare, other, tmp_path / "to")
    with pytest.raises(BadInput, match=r"^lab/other: no such repository"):
        source.export(repository.bare.with_name("other.git"), commit, tmp_path / "to")
