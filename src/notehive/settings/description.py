"""What people read of the settings: made from their declarations."""

from collections.abc import Iterator
from typing import Any, get_origin

import yaml
from pydantic import BaseModel

from notehive.settings.model import Settings


def section_of(annotation: Any) -> Any:
    """The Section inside a field's type: of ``dict[Name, Size]`` or ``Size | None``, Size."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (found := section_of(argument)) is not None:
            return found
    return None


def describe(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Every setting as (key, default, help), sections in the order of declaration.

    A key that the operator chooses stands as ``NAME``: ``sizes.NAME.limit.cpu``.
    """
    for key, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        section = section_of(field.annotation)
        if section is None:
            shown = "" if field.is_required() else _show_default(default)
            yield (
                prefix + key,
                "required" if field.is_required() else shown,
                field.description or "",
            )
            continue
        many = get_origin(field.annotation) is dict
        chosen = ", ".join(default) if many and default else ""
        yield prefix + key, chosen, field.description or ""
        yield from describe(section, f"{prefix}{key}.{'NAME.' if many else ''}")


def _show_default(default: Any) -> str:
    if default is None:
        return ""
    return yaml.safe_dump(default, default_flow_style=True).split("\n")[0]
