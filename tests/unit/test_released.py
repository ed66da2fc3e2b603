"""Images that groups have released, beside those of the settings."""

import logging
from pathlib import Path
from typing import Any

import pytest

from notehive.guard import hub as guard
from notehive.hub import released
from notehive.hub.config import HubConfig
from notehive.hub.holdings import Holding
from notehive.hub.options import check_options
from notehive.hub.released import offered
from notehive.hub.rights import rights
from notehive.hub.spawn_form import render_form
from notehive.jobs import release
from tests.support.releases import publish
from tests.unit.conftest import hub_config

SETTINGS = """
groups:
  lab: {}
  guild: {shared: everyone}
images:
  base: {title: Base}
"""
CONFIG = hub_config(SETTINGS)


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(released, "ROOT", tmp_path)
    return tmp_path


def images(*groups: str, admin: bool = False, config: HubConfig = CONFIG) -> tuple[str, ...]:
    """Keys that a member of these groups may choose."""
    return rights(offered(config), groups, admin=admin).images


def form(*groups: str) -> str:
    config = offered(CONFIG)
    return render_form(config, rights(config, groups), Holding(), {})


def test_a_release_is_for_its_group_and_administrators(root: Path) -> None:
    publish(root)
    publish(root, "everyone", "viz")
    assert images("lab") == ("base", "everyone/viz", "lab/geo")
    assert images("guild") == images() == ("base", "everyone/viz")
    assert images(admin=True) == ("base", "everyone/viz", "lab/geo")
    mine, others = (rights(offered(CONFIG), groups) for groups in (["lab"], ["guild"]))
    wish = {"image": "lab/geo"}
    assert check_options(offered(CONFIG), mine, Holding(), wish).image == "lab/geo"
    with pytest.raises(ValueError, match=r"^There is no image 'lab/geo' for you; "):
        check_options(offered(CONFIG), others, Holding(), wish)
    assert CONFIG.groups["lab"].images == [], "the settings are not changed"


def test_what_a_group_has_of_the_settings_stays_its_own(root: Path) -> None:
    config = hub_config(SETTINGS.replace("lab: {}", "lab: {images: [base]}"))
    publish(root)
    assert images("lab", config=config) == ("base", "lab/geo")
    assert images("guild", config=config) == ()


def test_the_form_says_what_it_is_and_whose(root: Path) -> None:
    publish(root, title="<b>Geo</b>")
    shown = form("lab")
    for words in (
        'value="lab/geo"',
        "&lt;b&gt;Geo&lt;/b&gt;",
        "Maps &amp; more",
        "lab/geo, built on Base",
        "Released 21 Nov 2026 by ana",
        "Added from Debian",
        "gdal-bin",
    ):
        assert words in shown
    assert "lab/geo" not in form("guild")


def test_without_a_title_it_has_its_name(root: Path) -> None:
    publish(root, title="", image="gone", packages=[])
    shown = form("lab")
    assert '<span class="nh-card-title">geo</span>' in shown
    assert "lab/geo, built on gone" in shown
    assert "<details>" not in shown


def test_the_release_that_is_there_now_counts(root: Path) -> None:
    first = publish(root)
    assert guard._may_run(CONFIG, {}, first)
    second = publish(root, commit="b" * 40, digest=f"sha256:{'f' * 64}", title="Maps")
    assert offered(CONFIG).images["lab/geo"].title == "Maps"
    assert offered(CONFIG).images["lab/geo"].reference == second != first
    assert guard._may_run(CONFIG, {}, second)
    assert not guard._may_run(CONFIG, {}, first)
    (root / "lab/geo/current").unlink()
    assert images("lab") == ("base",)
    assert not guard._may_run(CONFIG, {}, second)


def test_a_look_reads_only_what_is_new(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, seen = release.read, []

    def noted(root: Path, group: str, name: str) -> release.Release:
        seen.append(name)
        return read(root, group, name)

    monkeypatch.setattr(release, "read", noted)
    publish(root)
    publish(root, name="churn", kind="model")
    for _ in range(3):
        assert images("lab") == ("base", "lab/geo")
    publish(root, commit="b" * 40)
    assert images("lab") == ("base", "lab/geo")
    assert seen == ["churn", "geo", "geo"]


IMAGE = "127.0.0.1:5000/models/lab/geo"
DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("told", "model"),
    [
        ({"image": f"{IMAGE}:latest"}, {}),
        ({"image": f"{IMAGE}@sha256:a"}, {}),
        ({"image": f"{IMAGE}@{DIGEST} "}, {}),
        ({"image": f"127.0.0.1:5000/models/lab/other@{DIGEST}"}, {}),
        ({"image": f"127.0.0.1:5001/models/lab/geo@{DIGEST}"}, {}),
        ({"image": f"docker.io/lab/geo@{DIGEST}"}, {}),
        ({"image": None}, {}),
        ({"name": "other"}, {}),
        ({"group": "guild"}, {}),
        ({"published_at": "yesterday"}, {}),
        ({"published_by": 3}, {}),
        ({"model": []}, {}),
        ({"model": {"kind": "image"}}, {}),
        ({"unknown": 1}, {}),
        ({}, {"title": 3}),
        ({}, {"packages": "gdal"}),
        ({}, {"packages": [{}]}),
    ],
)
def test_a_broken_release_is_left_out_and_logged(
    root: Path, caplog: pytest.LogCaptureFixture, told: dict[str, Any], model: dict[str, Any]
) -> None:
    publish(root, name="other")
    image = publish(root, told=told, **model)
    with caplog.at_level(logging.WARNING, "notehive.hub.released"):
        for _ in range(2):
            assert images("lab") == ("base", "lab/other")
    assert not guard._may_run(CONFIG, {}, image)
    (said,) = caplog.messages
    assert said.startswith("lab/geo: left out, for its release cannot be read: ")


def test_a_file_that_is_none(root: Path) -> None:
    publish(root, name="other")
    publish(root)
    for text in ("", "{", "[]", "null", "\0"):
        (root / "lab/geo/current/release.json").write_text(text)
        assert images("lab") == ("base", "lab/other")


def test_models_are_no_images(root: Path) -> None:
    image = publish(root, kind="model")
    assert images("lab", admin=True) == ("base",)
    assert not guard._may_run(CONFIG, {}, image)


def test_a_group_that_is_none_any_more(root: Path) -> None:
    image = publish(root, "former")
    assert images("former", admin=True) == ("base",)
    assert not guard._may_run(CONFIG, {}, image)


def test_without_a_registry_there_is_nothing_to_pull(root: Path) -> None:
    publish(root)
    config = hub_config(f"{SETTINGS}services: {{registry: off}}")
    assert images("lab", config=config) == ("base",)


def test_the_guard_runs_what_is_released_and_no_other(root: Path) -> None:
    image = publish(root)
    assert guard._may_run(CONFIG, {}, image)
    assert guard._may_run(CONFIG, {}, "base")
    for made_up in (
        image[:-1] + "0",
        image.replace("geo", "maps"),
        image.replace("@sha256:", ":"),
        image.partition("@")[0],
        "lab/geo",
        "",
    ):
        assert not guard._may_run(CONFIG, {}, made_up)
