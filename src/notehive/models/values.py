"""What the values of model.yml may be."""

import datetime
import keyword
import math
import re
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

# A part of the name of an image, of a repository and of a DAG.
MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,38}[a-z0-9]")
PIPELINE_NAME = re.compile(r"[a-z0-9_-]{1,40}")
NOTEBOOK = ".ipynb"
# Every notebook is given these; docs/model-yml.md says what they are.
GIVEN = ("run_dir", "logical_date", "data_interval_start", "data_interval_end")
PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DEEPEST_PARAMETER = 8


def _check_model_name(value: str) -> str:
    if not MODEL_NAME.fullmatch(value):
        raise ValueError(
            f"{value!r} is no name of a model; use 2 to 40 lower-case letters, digits and dashes, "
            "with a letter or digit at both ends"
        )
    return value


def _check_pipeline_name(value: str) -> str:
    if not PIPELINE_NAME.fullmatch(value):
        raise ValueError(
            f"{value!r} is no name of a pipeline; "
            "use 1 to 40 lower-case letters, digits, dashes and underscores"
        )
    return value


def check_path(value: str) -> str:
    """Give a path of a file in the project (or the run directory), or raise ValueError."""
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or value.startswith("~"):
        raise ValueError(f"{value} leads out of the project; move the file into it")
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", value, re.ASCII) or len(value) > 200:
        raise ValueError(
            f"{value!r} is no path here; use letters, digits and . _ - with / between folders"
        )
    return value


def _check_run_file(value: str) -> str:
    try:
        return check_path(value)
    except ValueError:
        raise ValueError(
            f"{value!r} is not in the run directory; "
            "name a file relative to it, like features.parquet"
        ) from None


def step_name(run: str) -> str:
    """Give the name in the graph of what a step runs: a notebook's without folder and ending."""
    return PurePosixPath(run).name.removesuffix(NOTEBOOK)


def _check_run(value: str) -> str:
    if not value.endswith(NOTEBOOK):
        return value  # what there is besides notebooks, `contradictions` knows
    check_path(value)
    if not PIPELINE_NAME.fullmatch(step_name(value)):
        raise ValueError(
            f"{value} cannot be the name of a step; "
            "rename it with lower-case letters, digits, - and _, like train-model.ipynb"
        )
    return value


def _check_parameter_name(value: str) -> str:
    if value in GIVEN:
        raise ValueError(f"{value} is given to every notebook by the platform; choose another name")
    if not value.isidentifier() or not value.isascii() or keyword.iskeyword(value):
        raise ValueError(
            f"{value!r} cannot be a variable of Python; use letters, digits and _, like test_size"
        )
    return value


def _check_parameter(value: Any, depth: int = 0) -> Any:
    if depth > DEEPEST_PARAMETER:
        raise ValueError("is nested too deeply; give the name of a file that has it")
    if isinstance(value, list | tuple):
        for item in value:
            _check_parameter(item, depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str):
                raise ValueError(f"has the key {name!r}; put it in quotes")
            _check_parameter(item, depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no number that JSON has; use null, or text in quotes")
    elif not isinstance(value, str | int | float | bool | None):
        raise ValueError(f"is a {type(value).__name__}; use text, numbers, true, false or lists")
    return value


def _check_duration(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[1-9][0-9]{0,6}[smhd]", value):
        raise ValueError(f"{value!r} is no span of time; write it like 90s, 30m, 2h or 1d")
    return value


def seconds(duration: str) -> int:
    """Give the seconds of a span of time like ``30m``; 0 for none."""
    return int(duration[:-1]) * UNITS[duration[-1]] if duration else 0


def _check_schedule(value: str) -> str:
    """Only its form: what the fields of a cron expression may be, the check knows (croniter)."""
    if value not in PRESETS and not re.fullmatch(r"\S+( +\S+){4}", value):
        raise ValueError(
            f"{value!r} is no schedule; write five fields of cron, like 0 6 * * 1-5, "
            f"or one of {', '.join(PRESETS)}"
        )
    return value


def _check_date(value: str) -> str:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
            datetime.date.fromisoformat(value)
            return value
    except ValueError:
        pass
    raise ValueError(f"{value!r} is no day; write it like 2026-01-31")


def _check_debian_package(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", value):
        raise ValueError(f"{value!r} is no package of Debian; write its name alone, like graphviz")
    return value


def on_or_off(value: object) -> object:
    """Take a switch as people write it."""
    return {"on": True, "off": False}.get(value, value) if isinstance(value, str) else value


ModelName = Annotated[str, AfterValidator(_check_model_name)]
PipelineName = Annotated[str, AfterValidator(_check_pipeline_name)]
ProjectFile = Annotated[str, AfterValidator(check_path)]
RunFile = Annotated[str, AfterValidator(_check_run_file)]
Run = Annotated[str, AfterValidator(_check_run)]
ParameterName = Annotated[str, AfterValidator(_check_parameter_name)]
Parameter = Annotated[Any, BeforeValidator(_check_parameter)]
Parameters = dict[ParameterName, Parameter]
Duration = Annotated[str, BeforeValidator(_check_duration)]
Schedule = Annotated[str, AfterValidator(_check_schedule)]
Day = Annotated[str, AfterValidator(_check_date)]
DebianPackage = Annotated[str, AfterValidator(_check_debian_package)]
Switch = Annotated[bool, BeforeValidator(on_or_off)]
