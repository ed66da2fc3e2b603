"""Parts of bodies: JSON objects of which every key is declared, read strictly and written anew."""

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from notehive.guard.refused import RefusedError

Amount = Annotated[int, Field(ge=0, lt=2**63)]
Positive = Annotated[int, Field(gt=0, lt=2**63)]
HOUR = 3600 * 10**9  # durations are in nanoseconds
LabelSet = dict[str, str]


def _plain(path: str) -> str:
    parts = path.split("/")
    if parts[0] or len(parts) < 2 or {"", ".", ".."} & set(parts[1:]) or "\0" in path:
        raise ValueError("is no absolute path without dots and doubled slashes")
    return path


AbsolutePath = Annotated[str, AfterValidator(_plain)]


class Part(BaseModel):
    """A JSON object: unknown keys are errors, and so are values of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


AnyPart = TypeVar("AnyPart", bound=Part)


def read(kind: type[AnyPart], data: Any) -> AnyPart:
    """Take a body as JSON says it. Raises RefusedError that names the first thing amiss."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        said = "nobody may set this" if first["type"] == "extra_forbidden" else first["msg"]
        raise RefusedError(f"{place}: {said}.") from None


def write(part: Part) -> dict[str, Any]:
    """Give the body that says this, and nothing else."""
    return part.model_dump(by_alias=True, exclude_none=True)
