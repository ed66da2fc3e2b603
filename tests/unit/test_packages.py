"""What the form says is installed in the images of ours."""

from pathlib import Path

import pytest

from notehive.platform.packages import installed

PROJECT = """
[dependency-groups]
notebooks-base = ["pip", "JupyterLab>=4.6"]
notebooks-science = [{ include-group = "notebooks-base" }, "psycopg[binary]>=3", "scikit_learn"]
"""
PINNED = "jupyterlab==4.6.6 \\\n    --hash=sha256:00\n    # via x==1\npip==26.3\nnumpy==2.5\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A clone with three images: base, science, and a team's own on top."""
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "requirements").mkdir()
    more = PINNED + "psycopg==3.3.9 \\\nscikit-learn==1.9\n"
    (tmp_path / "requirements/notebooks-base.txt").write_text(PINNED)
    (tmp_path / "requirements/notebooks-science.txt").write_text(more)
    for folder, parent in (
        ("python", "debian"),
        ("notebooks-images/base", "python"),
        ("notebooks-images/science", "notebooks-base"),
        ("notebooks-images/team", "notebooks-science"),
    ):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "Dockerfile").write_text(f"FROM notehive/{parent}\n")
    return tmp_path


def test_what_an_image_was_made_for_at_its_versions(root: Path) -> None:
    assert installed("notebooks-base", root) == ["jupyterlab 4.6.6", "pip 26.3"]
    science = ["jupyterlab 4.6.6", "pip 26.3", "psycopg 3.3.9", "scikit-learn 1.9"]
    assert installed("notebooks-science", root) == science


def test_an_image_without_a_group_has_what_its_parent_has(root: Path) -> None:
    assert installed("notebooks-team", root) == installed("notebooks-science", root)
    assert installed("python", root) == []


def test_our_images() -> None:
    names = [package.split()[0] for package in installed("notebooks-datascience")]
    assert {"jupyterlab", "pandas", "scikit-learn"} <= set(names)
    assert names == sorted(set(names))
