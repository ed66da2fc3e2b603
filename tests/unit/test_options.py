"""Who may start what, whichever way they ask."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notehive.hub.amounts import describe_size
from notehive.hub.holdings import Holding, summary, total
from notehive.hub.options import Choice, check_options, options_from_form
from notehive.hub.rights import rights
from notehive.hub.spawn_form import render_form
from notehive.settings import GIB, Limits
from tests.unit.conftest import hub_config

NOTHING = Holding()
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

CONFIG = hub_config(SETTINGS)
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
    assert rights(CONFIG, groups, admin=admin)[:2] == expected


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
    assert check_options(CONFIG, rights(CONFIG, groups), NOTHING, options) == choice


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
        check_options(CONFIG, rights(CONFIG, ()), NOTHING, options)
    assert str(error.value).startswith(message)


def test_huge_values_make_short_messages() -> None:
    for options in ({"image": "x" * 1_000_000}, {"x" * 1_000_000: 1}):
        with pytest.raises(ValueError, match=r"\.\.\.") as error:
            check_options(CONFIG, rights(CONFIG, ()), NOTHING, options)
        assert len(str(error.value)) < 200


def test_nothing_open() -> None:
    config = hub_config(SETTINGS.replace("sales: {}", "sales: {images: [base, spark, gpu]}"))
    mine = rights(config, ())
    with pytest.raises(ValueError, match="No image is open to you; ask an administrator"):
        check_options(config, mine, NOTHING, {})
    assert "Ask an administrator" in render_form(config, mine, NOTHING, {})


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
    mine = rights(CONFIG, groups, admin=admin)
    try:
        choice = check_options(CONFIG, mine, NOTHING, options)
    except ValueError as error:
        assert len(str(error).splitlines()) == 1
        return
    assert choice.image in mine.images
    assert choice.size in mine.sizes
    assert set(options) <= {"image", "size"}
    assert render_form(CONFIG, mine, NOTHING, choice._asdict()).count(" checked") == 2


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
            check_options(CONFIG, rights(CONFIG, ()), NOTHING, options_from_form(form))


def test_form() -> None:
    chosen = {"image": "spark", "size": "large"}
    html = render_form(CONFIG, rights(CONFIG, ["risk"]), NOTHING, chosen)
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
    html = render_form(CONFIG, rights(CONFIG, ["risk"]), NOTHING, chosen)
    assert 'value="base" required checked' in html
    assert 'value="small" required checked' in html


def test_size_without_guarantee_describes_its_default() -> None:
    lines = describe_size(CONFIG.sizes["small"])
    assert lines == ["up to 1 CPU · 2 GB memory", "at least 0.1 CPU · 1 GB"]


def test_what_everyone_names_is_open_to_all() -> None:
    config = hub_config(SETTINGS.replace("sales: {}", "everyone: {images: [gpu], sizes: [large]}"))
    assert rights(config, ())[:2] == (("base", "gpu"), ("small", "large"))


def test_gpus_are_on_the_card() -> None:
    text = "sizes: {a: {limit: {cpu: 1, memory: 1G}, gpu: %d%s}}"
    for settings, line in (
        (text % (1, ""), "with 1 GPU"),
        (text % (2, ""), "with 2 GPUs"),
        (text % (2, ", gpu_kind: A100"), "with 2 A100"),
    ):
        assert describe_size(hub_config(settings).sizes["a"])[2] == line


def test_packages_are_on_the_card_of_their_image() -> None:
    images = dict(CONFIG.images)
    images["spark"] = images["spark"].model_copy(update={"packages": ["pyspark 4.1", "<b>"]})
    config = CONFIG.model_copy(update={"images": images})
    html = render_form(config, rights(config, ["risk"]), NOTHING, {})
    assert html.count("What is installed") == 1
    assert html.index('value="spark"') < html.index("<li>pyspark 4.1</li>")
    assert "<li>&lt;b&gt;</li>" in html


LIMITS = """
groups:
  everyone: {limits: {cpu: 4, memory: 8G, servers: 2}}
  risk: {limits: {cpu: 8, memory: 6G}}
  lab: {limits: {servers: 5}}
  free: {}
sizes:
  small: {limit: {cpu: 0.1, memory: 1G}}
  large: {limit: {cpu: 4, memory: 4G}}
"""
LIMITED = hub_config(LIMITS)


@pytest.mark.parametrize(
    ("groups", "admin", "limits"),
    [
        ([], False, Limits(cpu=4, memory=8 * GIB, servers=2)),
        (["free"], False, Limits(cpu=4, memory=8 * GIB, servers=2)),
        (["risk"], False, Limits(cpu=8, memory=8 * GIB, servers=2)),
        (["risk", "lab"], False, Limits(cpu=8, memory=8 * GIB, servers=5)),
        ([], True, Limits()),
        (["everyone"], True, Limits()),
        (["risk"], True, Limits(cpu=8, memory=6 * GIB)),
    ],
)
def test_the_most_generous_limits_hold(groups: list[str], admin: bool, limits: Limits) -> None:
    assert rights(LIMITED, groups, admin=admin).limits == limits


@pytest.mark.parametrize(
    ("held", "size", "sentence", "words"),
    [
        (Holding(), "large", "", ""),
        (Holding(1, 0, 4 * GIB), "large", "", ""),
        (Holding(1, 3.9, 0), "small", "", ""),
        (
            Holding(2, 0.2, 2 * GIB),
            "small",
            "You hold 2 of 2 servers; stop one first.",
            "stop a server first",
        ),
        (
            Holding(1, 2, 0),
            "large",
            "This size needs 4 CPUs; you have 2 of 4 left.",
            "needs 4 CPUs, 2 left",
        ),
        (
            Holding(1, 4, 0),
            "small",
            "This size needs 0.1 CPU; you have 0 of 4 left.",
            "needs 0.1 CPU, 0 left",
        ),
        (
            Holding(1, 0, 6 * GIB),
            "large",
            "This size needs 4 GB of memory; you have 2 of 8 GB left.",
            "needs 4 GB, 2 GB left",
        ),
        (
            Holding(1, 0, 7 * GIB + GIB // 2),
            "small",
            "This size needs 1 GB of memory; you have 512 MB of 8 GB left.",
            "needs 1 GB, 512 MB left",
        ),
        # The limits were lowered while servers ran.
        (
            Holding(1, 64, 64 * GIB),
            "small",
            "This size needs 0.1 CPU; you have 0 of 4 left.",
            "needs 0.1 CPU, 0 left",
        ),
    ],
)
def test_what_others_hold_counts(held: Holding, size: str, sentence: str, words: str) -> None:
    mine = rights(LIMITED, ())
    html = render_form(LIMITED, mine, held, {"size": size})
    if not sentence:
        assert check_options(LIMITED, mine, held, {"size": size}).size == size
        assert f'value="{size}" required checked' in html
        return
    with pytest.raises(ValueError, match=r"left|stop") as error:
        check_options(LIMITED, mine, held, {"size": size})
    assert str(error.value) == sentence
    assert f'value="{size}" required disabled' in html
    assert words in html


def test_tenths_of_cpus_add_up() -> None:
    """As floats, 40 times 0.1 is more than 4."""
    held = Holding()
    for _ in range(40):
        check_options(LIMITED, rights(LIMITED, ["lab"]), held, {"size": "small"})
        held = total([held, Holding(0, 0.1, 0)])
    with pytest.raises(ValueError, match=r"needs 0.1 CPU; you have 0 of 4 left"):
        check_options(LIMITED, rights(LIMITED, ["lab"]), held, {"size": "small"})


@pytest.mark.parametrize(
    ("groups", "held", "sentence"),
    [
        ([], Holding(), "You hold 0 of 2 servers, 0 of 4 CPUs, 0 of 8 GB of memory."),
        (
            ["lab"],
            Holding(1, 0.5, GIB // 2),
            "You hold 1 of 5 servers, 0.5 of 4 CPUs, 512 MB of 8 GB of memory.",
        ),
    ],
)
def test_summary(groups: list[str], held: Holding, sentence: str) -> None:
    assert summary(rights(LIMITED, groups).limits, held) == sentence
    assert summary(Limits(), held) == ""
    assert summary(Limits(servers=1), held, "ana holds").startswith("ana holds ")
