"""The only judge of ``user_options``.

The form, the REST API and named servers all pass through `check_options`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from notehive.hub.config import HubConfig
from notehive.hub.holdings import Holding, shortage
from notehive.hub.rights import Rights


class Choice(NamedTuple):
    """What a user may have and asked for: keys of images and of ``sizes:``."""

    image: str
    size: str


def check_options(
    config: HubConfig, rights: Rights, held: Holding, options: Mapping[str, Any]
) -> Choice:
    """Give the choice that these options make; what they leave out is the first allowed.

    ``held`` is what the user's other servers hold. Raises ValueError with one sentence for
    anything else than an image and a size that this user may choose, and may choose now.
    """
    if not isinstance(options, Mapping):
        raise ValueError("The options are not an object with the keys image and size.")
    for key in options:
        if key not in Choice._fields:
            raise ValueError(f"The option {_show(key)} is unknown; known are image and size.")
    choice = Choice(_pick("image", rights.images, options), _pick("size", rights.sizes, options))
    if short := shortage(rights.limits, held, config.sizes[choice.size].limit):
        raise ValueError(short.sentence)
    return choice


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
