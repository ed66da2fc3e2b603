"""Who may start what, whichever way they ask."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notehive.hub.config import HubConfig, HubImage, HubStorage
from notehive.hub.options import (
    Choice,
    allowed,
    check_options,
    describe_size,
    options_from_form,
    render_form,
)
from notehive.settings import parse

SETTINGS = """
groups:
  risk: {images: [spark], sizes: [large]}
  fraud: {images: [spark, gpu]}
  sales: {}
images:
  base: {title: Base}
  spark: {title: "Spark <3", description: 'with "quotes" & <b>tags</b>'}
  gpu: {}
sizes:
  small: {limit: {cpu: 1, memory: 2G}}
  large: {title: Large, limit: {cpu: 8, memory: 1.5G}, guarantee: {cpu: 0.5, memory: 512M}}
"""


def make(settings: str = SETTINGS) -> HubConfig:
    parsed = parse(settings)
    return HubConfig(
        stack="notehive",
        url="http://notehive.localhost",
        admins=["boss"],
        auth=parsed.auth,
        groups=parsed.groups,
        images={
            key: HubImage(title=image.title, description=image.description, reference=key)
            for key, image in parsed.images.items()
        },
        sizes=parsed.sizes,
        services=parsed.services,
        storage=HubStorage(root="/srv", nfs="", quota=parsed.storage.quota),
        constraints=[],
        pip_index_url="",
    )


CONFIG = make()
EVERYTHING = (("base", "spark", "gpu"), ("small", "large"))


@pytest.mark.parametrize(
    ("groups", "admin", "expected"),
    [
        (set(), False, (("base",), ("small",))),
        ({"sales", "no such group"}, False, (("base",), ("small",))),
        ({"risk"}, False, (("base", "spark"), ("small", "large"))),
        ({"fraud"}, False, (("base", "spark", "gpu"), ("small",))),
        ({"risk", "fraud"}, False, EVERYTHING),
        (set(), True, EVERYTHING),
    ],
)
def test_allowed(groups: set[str], admin: bool, expected: object) -> None:
    assert allowed(CONFIG, groups, admin) == expected


@pytest.mark.parametrize(
    ("groups", "options", "choice"),
    [
        (set(), {}, Choice("base", "small")),
        (set(), {"image": "base"}, Choice("base", "small")),
        ({"risk"}, {"size": "large"}, Choice("base", "large")),
        ({"fraud"}, {"image": "gpu", "size": "small"}, Choice("gpu", "small")),
    ],
)
def test_choice(groups: set[str], options: dict[str, str], choice: Choice) -> None:
    assert check_options(CONFIG, groups, False, options) == choice


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image": "spark"}, "There is no image 'spark' for you; choose one of base."),
        ({"image": "no such"}, "There is no image 'no such' for you; choose one of base."),
        ({"image": "Base"}, "There is no image 'Base' for you; choose one of base."),
        ({"image": ""}, "There is no image '' for you; choose one of base."),
        ({"size": "large"}, "There is no size 'large' for you; choose one of small."),
        ({"size": "-1"}, "There is no size '-1' for you; choose one of small."),
        ({"size": -1}, "The size is not text; choose one of small."),
        ({"size": 10**30}, "The size is not text; choose one of small."),
        ({"size": None}, "The size is not text; choose one of small."),
        ({"image": ["base"]}, "The image is not text; choose one of base."),
        ({"image": {"base": 1}}, "The image is not text; choose one of base."),
        ({"image": True}, "The image is not text; choose one of base."),
        ({"mounts": ["/:/host"]}, "The option 'mounts' is unknown; known are image and size."),
        ({"image": "base", "cpu_limit": 64}, "The option 'cpu_limit' is unknown; known are image"),
        ({3: "base"}, "The option 3 is unknown"),
        ([], "The options are not an object"),
        (None, "The options are not an object"),
        ("base", "The options are not an object"),
    ],
)
def test_refused(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r"\.$") as error:
        check_options(CONFIG, set(), False, options)
    assert str(error.value).startswith(message)


def test_huge_values_make_short_messages() -> None:
    for options in ({"image": "x" * 1_000_000}, {"x" * 1_000_000: 1}):
        with pytest.raises(ValueError, match=r"\.\.\.") as error:
            check_options(CONFIG, set(), False, options)
        assert len(str(error.value)) < 200


def test_nothing_open() -> None:
    config = make(SETTINGS.replace("sales: {}", "sales: {images: [base, spark, gpu]}"))
    with pytest.raises(ValueError, match="No image is open to you; ask an administrator"):
        check_options(config, set(), False, {})
    assert "Ask an administrator" in render_form(config, set(), False, {})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
keys = st.sampled_from(["image", "size", "mounts"]) | st.text()
values = st.sampled_from(["base", "spark", "gpu", "small", "large"]) | json_values


@given(
    st.dictionaries(keys, values) | json_values,
    st.sets(st.sampled_from(["risk", "fraud", "sales", "other"])),
    st.booleans(),
)
def test_whatever_is_asked_only_what_is_allowed_is_given(
    options: Any, groups: set[str], admin: bool
) -> None:
    images, sizes = allowed(CONFIG, groups, admin)
    try:
        choice = check_options(CONFIG, groups, admin, options)
    except ValueError as error:
        assert len(str(error).splitlines()) == 1
        return
    assert choice.image in images
    assert choice.size in sizes
    assert set(options) <= {"image", "size"}
    assert render_form(CONFIG, groups, admin, choice._asdict()).count(" checked") == 2


def test_form_fields_become_options_that_are_judged() -> None:
    filled = {"image": ["base"], "size": ["small"], "_xsrf": ["token"]}
    assert options_from_form(filled) == {"image": "base", "size": "small"}
    bad: list[dict[str, list[Any]]] = [
        {"image": ["base", "spark"]},
        {"image": []},
        {"mounts": ["/:/host"]},
    ]
    for form in bad:
        with pytest.raises(ValueError, match=r"not text|unknown"):
            check_options(CONFIG, set(), False, options_from_form(form))


def test_form() -> None:
    html = render_form(CONFIG, {"risk"}, False, {"image": "spark", "size": "large"})
    assert 'value="spark" required checked' in html
    assert 'value="large" required checked' in html
    assert html.count(" checked") == 2
    assert "gpu" not in html
    assert "Spark &lt;3" in html
    assert "&lt;b&gt;tags&lt;/b&gt;" in html
    assert "1 CPU · 2 GB memory" in html
    assert "8 CPUs · 1.5 GB memory" in html
    assert "at least 0.5 CPU · 512 MB" in html


@pytest.mark.parametrize(
    "chosen", [{}, {"image": "gpu", "size": "huge"}, {"image": ["spark"], "size": 3}]
)
def test_form_selects_the_first_where_the_last_choice_is_gone(chosen: dict[str, Any]) -> None:
    html = render_form(CONFIG, {"risk"}, False, chosen)
    assert 'value="base" required checked' in html
    assert 'value="small" required checked' in html


def test_size_without_guarantee_describes_its_default() -> None:
    lines = describe_size(CONFIG.sizes["small"])
    assert lines == ["up to 1 CPU · 2 GB memory", "at least 0.1 CPU · 1 GB"]
