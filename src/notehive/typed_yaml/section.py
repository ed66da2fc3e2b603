"""The base of models of what people write in YAML, and what people read of those models."""

from collections.abc import Iterator
from typing import Any, get_origin

import yaml
from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of a file: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def section_of(annotation: Any) -> Any:
    """The Section inside a field's type: of ``dict[Name, Size]`` or ``Size | None``, Size."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (found := section_of(argument)) is not None:
            return found
    return None


def keys_of(model: type[BaseModel]) -> dict[str, Any]:
    """The fields of a model by the keys that people write."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def describe(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Every key of a model as (key, default, help), sections in the order of declaration.

    A key that people choose stands as ``NAME``: ``sizes.NAME.limit.cpu``; an item of a list as
    ``[]``: ``steps[].needs``.
    """
    for key, field in keys_of(model).items():
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
        yield (
            prefix + key,
            "required" if field.is_required() else chosen,
            field.description or "",
        )
        below = {dict: f"{key}.NAME.", list: f"{key}[]."}.get(
            get_origin(field.annotation), f"{key}."
        )
        yield from describe(section, prefix + below)


def _show_default(default: Any) -> str:
    if default is None:
        return ""
    return yaml.safe_dump(default, default_flow_style=True).split("\n")[0]
