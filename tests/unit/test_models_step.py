"""What a step knows before it runs: its environment, its parameters, what it writes where."""

import json
from pathlib import Path
from typing import Any

import pytest

from notehive.models.comparison import Contender, judge
from notehive.models.step import notes, parameters
from notehive.models.step.failure import Failed
from notehive.models.step.job import Job
from notehive.models.step.log import Log
from notehive.models.step.registry import Steps, steps

ENVIRON = {
    "NOTEHIVE_COMMIT": "c0ffee",
    "NOTEHIVE_DATA_INTERVAL_END": "",
    "NOTEHIVE_DATA_INTERVAL_START": "",
    "NOTEHIVE_GROUP": "lab",
    "NOTEHIVE_IMAGE": "127.0.0.1:5000/models/lab/churn@sha256:123",
    "NOTEHIVE_LOGICAL_DATE": "2026-01-01T00:00:00+00:00",
    "NOTEHIVE_MODEL": "churn",
    "NOTEHIVE_PARAMETERS": '{"size": 3}',
    "NOTEHIVE_PIPELINE": "train",
    "NOTEHIVE_RUN": "manual__1",
    "NOTEHIVE_RUN_DIR": "/mnt/run",
    "NOTEHIVE_STEP": "fit",
    "NOTEHIVE_TRY": "2",
}


def test_a_job_is_read_from_its_environment() -> None:
    job = Job.read(ENVIRON)
    assert (job.attempt, job.run_dir, job.parameters) == (2, Path("/mnt/run"), {"size": 3})
    assert (job.logical_date, job.data_interval_end) == ("2026-01-01T00:00:00+00:00", None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"NOTEHIVE_TRY": "two"}, "NOTEHIVE_TRY: 'two' is no number"),
        ({"NOTEHIVE_PARAMETERS": "[1]"}, "NOTEHIVE_PARAMETERS: is no JSON object, but [1]"),
        ({"NOTEHIVE_PARAMETERS": "{"}, "NOTEHIVE_PARAMETERS: is no JSON: "),
    ],
)
def test_a_bad_environment_is_named(change: dict[str, str], said: str) -> None:
    with pytest.raises(Failed) as failed:
        Job.read({**ENVIRON, **change})
    assert str(failed.value).startswith(said)


@pytest.mark.parametrize("name", sorted(ENVIRON))
def test_each_variable_is_needed(name: str) -> None:
    with pytest.raises(Failed, match=f"{name}: is not set"):
        Job.read({key: value for key, value in ENVIRON.items() if key != name})


def a_notebook(source: str | list[str], language: str = "python") -> dict[str, Any]:
    cell = {"metadata": {"tags": ["parameters"]}, "source": source}
    other = {"metadata": {}, "source": "size = 'large'"}
    spec = {"name": "python3", "language": language}
    return {"metadata": {"kernelspec": spec}, "cells": [other, cell]}


def test_types_are_those_of_annotations_and_defaults() -> None:
    source = [
        "a = 1\n",
        "b: float = 1\n",
        "c: list[int] = []\n",
        "d = None\n",
        "e = open('x')\n",
        "f: int | None = None\n",
        "g = -0.5\n",
        "h, i = 1, 2\n",
        "j = 'a'",
    ]
    found = parameters.declared(a_notebook(source))
    assert found == {"a": int, "b": float, "c": list, "g": float, "j": str}
    assert parameters.declared(a_notebook("a = (")) == {}
    assert parameters.declared(a_notebook("a <- 1", "R")) == {}
    assert parameters.declared({"metadata": {}, "cells": []}) == {}


@pytest.mark.parametrize(
    ("value", "kind", "fits"),
    [
        (1, int, True),
        (1, float, True),
        (1.5, int, False),
        (True, int, False),
        (True, float, False),
        (0, bool, False),
        (False, bool, True),
        ("1", int, False),
        ([1], list, True),
        ({}, dict, True),
        ("x", str, True),
    ],
)
def test_what_fits_a_type(value: Any, kind: type, fits: bool) -> None:
    assert parameters.fits(value, kind) is fits


def test_a_value_of_another_type_is_named() -> None:
    parameters.check(a_notebook("size = 1"), {"size": None, "other": "x"})
    with pytest.raises(Failed) as failed:
        parameters.check(a_notebook("size = 1"), {"size": "large"})
    assert str(failed.value) == 'parameter size: "large" is no int'


def test_lines_of_its_own_begin_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log()
    log.pass_on("10 %\r50 %\r100 %")
    log.say("cell 1 of 2: 0.1 s")
    log.pass_on("")
    log.say("cell 2 of 2: 0.1 s")
    log.pass_on("a\r\nb\n")
    assert capsys.readouterr().out == ("100 %\ncell 1 of 2: 0.1 s\ncell 2 of 2: 0.1 s\na\r\nb\n")


def test_notes_are_told_from_step_to_step(tmp_path: Path) -> None:
    assert notes.read(tmp_path, "drift") == {}
    notes.write(tmp_path, "drift", {"drifted": True})
    notes.add_data(tmp_path, "a", "1")
    notes.add_data(tmp_path, "b", "2")
    assert json.loads((tmp_path / ".notehive/drift.json").read_text()) == {"drifted": True}
    assert notes.read(tmp_path, notes.DATA) == {"a": "1", "b": "2"}
    assert sorted(path.name for path in (tmp_path / ".notehive").iterdir()) == [
        "data.json",
        "drift.json",
    ]


def test_steps_are_found_by_name() -> None:
    assert steps.names() == ["drift", "promote", "publish-table", "validate"]
    own = Steps()
    own.register("report", "json:dumps")
    assert own.handler("report") is json.dumps  # type: ignore[comparison-overlap]
    with pytest.raises(Failed, match="reprot: is no notebook, and no step of Notehive: report"):
        own.handler("reprot")


def contender(version: str, value: float) -> Contender:
    return Contender(version, None, {"roc_auc": value})  # type: ignore[arg-type]


NAN = float("nan")


@pytest.mark.parametrize(
    ("ours", "theirs", "goal", "min_gain", "wins"),
    [
        (0.9, 0.8, "max", 0.0, True),
        (0.8, 0.9, "max", 0.0, False),
        (0.8, 0.9, "min", 0.0, True),
        (0.9, 0.9, "max", 0.0, True),  # a tie gains the 0 that is asked for
        (0.9, 0.9, "max", 0.01, False),
        (0.9, 0.8, "max", 0.1, True),  # as numbers of a computer 0.9 - 0.8 is less
        (0.9, 0.8, "max", 0.2, False),
        (NAN, 0.1, "max", 0.0, False),
        (0.1, NAN, "max", 0.5, True),
        (NAN, NAN, "max", 0.0, False),
        (0.1, None, "max", 0.5, True),
        (NAN, None, "max", 0.0, False),
    ],
)
def test_who_wins(
    ours: float, theirs: float | None, goal: str, min_gain: float, wins: bool
) -> None:
    champion = None if theirs is None else contender("1", theirs)
    verdict = judge(contender("2", ours), champion, "roc_auc", goal, min_gain)
    assert verdict.wins is wins
    assert "roc_auc" in verdict.why
