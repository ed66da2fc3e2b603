"""What MLflow and Airflow are made to tell of themselves."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest
from prometheus_client import Metric

from notehive.airflow.metrics import Pipelines, Records, Runs, words
from notehive.gate.asgi import Message, Send, answer
from notehive.metrics.requests import Requests


def samples(metrics: Iterable[Metric]) -> dict[tuple[str, ...], float]:
    """Give all values by name and labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in metrics
        for sample in metric.samples
    }


# Requests


async def application(scope: Message, receive: Any, send: Send) -> None:
    """Answers with the status that is its path, or breaks, before or after it has begun."""
    if scope["type"] != "http" or scope["path"] == "/breaks":
        raise RuntimeError(scope["type"])
    await answer(send, int(scope["path"][1:4]), b"", b"text/plain")
    if scope["path"].endswith("/breaks"):
        raise RuntimeError("too late")


async def nowhere(message: Message) -> None:
    """Takes an answer."""


def count(*scopes: Message) -> tuple[dict[tuple[str, ...], float], list[Message]]:
    """Give the counts after these, and what was sent."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    measured = Requests(application, but={"/204"})
    for scope in scopes:
        with suppress(RuntimeError):
            asyncio.run(measured(scope, None, send))
    name = "notehive_request_duration_seconds_count"
    return {key: n for key, n in samples(measured.collect()).items() if key[0] == name}, sent


def get(path: str) -> Message:
    return {"type": "http", "method": "GET", "path": path}


def test_answers_are_counted_by_their_status() -> None:
    counts, sent = count(*map(get, ("/200", "/200", "/404", "/204")))
    name = "notehive_request_duration_seconds_count"
    assert counts == {(name, "200"): 2, (name, "404"): 1}
    statuses = [each["status"] for each in sent if each["type"] == "http.response.start"]
    assert statuses == [200, 200, 404, 204]


@pytest.mark.parametrize(("path", "status"), [("/breaks", "500"), ("/200/breaks", "200")])
def test_what_breaks_is_counted_as_what_the_client_gets(path: str, status: str) -> None:
    counts, _ = count(get(path))
    assert counts == {("notehive_request_duration_seconds_count", status): 1}


def test_what_breaks_breaks_on() -> None:
    with pytest.raises(RuntimeError):
        asyncio.run(Requests(application)(get("/breaks"), None, nowhere))


def test_what_is_no_request_is_not_counted() -> None:
    assert count({"type": "lifespan"})[0] == {}


# Pipelines


@pytest.mark.parametrize(
    ("dag", "told"),
    [
        ("red.churn.train", ("red", "churn", "train")),
        ("red.churn.own.one", ("red", "churn", "own.one")),
        ("maintenance", ("", "", "maintenance")),
        ("red.churn", ("", "", "red.churn")),
    ],
)
def test_whose_a_pipeline_is(dag: str, told: tuple[str, str, str]) -> None:
    assert words(dag) == told


def test_pipelines() -> None:
    records = Records(
        [
            Runs("red.churn.train", "success", 3, 75.5, 1.7e9),
            Runs("red.churn.train", "running", 1, None, None),
        ],
        [("deferred", 2)],
        [("SchedulerJob", 1.8e9)],
    )
    done, now = ("red", "churn", "train", "success"), ("red", "churn", "train", "running")
    assert samples(Pipelines(lambda: records).collect()) == {
        ("notehive_pipeline_runs", *done): 3,
        ("notehive_pipeline_runs", *now): 1,
        ("notehive_pipeline_run_seconds", *done): 75.5,
        ("notehive_pipeline_last_end_timestamp_seconds", *done): 1.7e9,
        ("notehive_airflow_tasks", "deferred"): 2,
        ("notehive_airflow_heartbeat_timestamp_seconds", "SchedulerJob"): 1.8e9,
    }
