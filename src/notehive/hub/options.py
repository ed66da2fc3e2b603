"""The spawn form, and the only judge of ``user_options``.

The form, the REST API and named servers all pass through `check_options`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from notehive.hub.config import HubConfig
from notehive.hub.sizes import amount
from notehive.hub.spawn_form import Card, render_cards
from notehive.settings import Size


class Choice(NamedTuple):
    """What a user may have and asked for: keys of ``images:`` and ``sizes:``."""

    image: str
    size: str


def allowed(
    config: HubConfig, user_groups: set[str], admin: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the images and the sizes that a user may choose, in the order of the settings.

    What any group names is reserved: for the members of the groups that name it, and for
    administrators. The rest is for everyone.
    """

    def open_ones(key: str, names: Iterable[str]) -> tuple[str, ...]:
        reserved: set[str] = set()
        granted: set[str] = set()
        for group, rights in config.groups.items():
            reserved.update(getattr(rights, key))
            if group in user_groups:
                granted.update(getattr(rights, key))
        return tuple(n for n in names if admin or n not in reserved or n in granted)

    return open_ones("images", config.images), open_ones("sizes", config.sizes)


def check_options(
    config: HubConfig, user_groups: set[str], admin: bool, options: Mapping[str, Any]
) -> Choice:
    """Give the choice that these options make; what they leave out is the first allowed.

    Raises ValueError with one sentence for anything else than an image and a size that
    this user may choose.
    """
    if not isinstance(options, Mapping):
        raise ValueError("The options are not an object with the keys image and size.")
    for key in options:
        if key not in Choice._fields:
            raise ValueError(f"The option {_show(key)} is unknown; known are image and size.")
    images, sizes = allowed(config, user_groups, admin)
    return Choice(_pick("image", images, options), _pick("size", sizes, options))


def _pick(key: str, may: Sequence[str], options: Mapping[str, Any]) -> str:
    if not may:
        raise ValueError(f"No {key} is open to you; ask an administrator for a group that has one.")
    if key not in options:
        return may[0]
    value = options[key]
    if not isinstance(value, str):
        raise ValueError(f"The {key} is not text; choose one of {', '.join(may)}.")
    if value not in may:
        # The same words for one that is reserved: which ones there are is not said.
        raise ValueError(
            f"There is no {key} {_show(value)} for you; choose one of {', '.join(may)}."
        )
    return value


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def options_from_form(formdata: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Turn the fields of a form into options, unjudged: `check_options` sees all of them."""
    return {
        key: values[0] if len(values) == 1 else values
        for key, values in formdata.items()
        if key != "_xsrf"
    }


def render_form(
    config: HubConfig, user_groups: set[str], admin: bool, chosen: Mapping[str, Any]
) -> str:
    """Give the HTML of the spawn form's fields, with what was chosen last time selected."""
    images, sizes = allowed(config, user_groups, admin)
    image_cards = [
        Card(key, config.images[key].title or key, [config.images[key].description])
        for key in images
    ]
    size_cards = [
        Card(key, config.sizes[key].title or key, describe_size(config.sizes[key])) for key in sizes
    ]
    return render_cards(
        [
            ("image", "Image", image_cards, _selected(images, chosen.get("image"))),
            ("size", "Size", size_cards, _selected(sizes, chosen.get("size"))),
        ]
    )


def _selected(may: Sequence[str], last: object) -> str:
    # What was chosen once can have been removed from the settings since.
    return last if isinstance(last, str) and last in may else next(iter(may), "")


def describe_size(size: Size) -> list[str]:
    """Give the lines below a size's title: the limit, and what is guaranteed."""
    return [f"up to {amount(size.limit)} memory", f"at least {amount(size.reserved)}"]
