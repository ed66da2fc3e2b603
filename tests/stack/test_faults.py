"""What goes wrong while models are released and run: nothing runs twice, is lost or is left behind.

The tests share one small model. Its step `hold` begins, and goes on when it is told to.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.support import factory
from tests.support.airflow import put_dags
from tests.support.factory import Factory, Run
from tests.support.hub import user
from tests.support.owner import Owner
from tests.support.projects import cell, notebook
from tests.support.site import Site, docker, wait_for

MODEL = """\
name: {name}
image: base
size: small
pipelines:
  hold:
    parameters: {{wait: true}}
    smoke: {{wait: false}}
    steps: [{{run: hold.ipynb, retries: 1}}, after.ipynb]
  fail:
    parameters: {{rows: 0}}
    smoke: {{rows: 1}}
    steps: [fail.ipynb]
  yearly:
    schedule: "0 0 1 1 *"
    tracking: off
    steps: [when.ipynb]
  caught-up:
    schedule: "0 0 1 1 *"
    start_date: 2023-06-01
    catchup: true
    tracking: off
    steps: [when.ipynb]
"""
WAIT = """\
with open(folder / "starts", "a") as file:
    file.write("once\\n")
print("it has begun", flush=True)
while wait and not (folder / "go").exists():
    sleep(0.1)"""
NOTEBOOKS = {
    "hold.ipynb": notebook(
        cell("run_dir = 'run'\nwait = False", "parameters"),
        cell("from pathlib import Path\nfrom time import sleep"),
        cell(f"folder = Path(run_dir)\n{WAIT}"),
    ),
    "after.ipynb": notebook(
        cell("run_dir = 'run'", "parameters"),
        cell("print(open(f'{run_dir}/starts').read())"),
    ),
    "fail.ipynb": notebook(
        cell("rows = 1", "parameters"),
        cell("print('looking at the rows')"),
        cell("if not rows:\n    raise ValueError('no rows')"),
        cell("print('never')"),
    ),
    "when.ipynb": notebook(
        cell("logical_date = data_interval_start = data_interval_end = None", "parameters"),
        cell("print('when:', logical_date, data_interval_start, data_interval_end)"),
    ),
}


@pytest.fixture(scope="module")
def model(with_airflow: Site) -> Iterator[Factory]:
    with user(with_airflow, "fred", "--group", "lab") as fred:
        fred.start(image="base", size="small")
        model = factory.made(Owner(with_airflow, fred))
        model.release({"model.yml": MODEL.format(name=model.model), **NOTEBOOKS})
        yield model
        factory.remove_images(model.model)


@pytest.fixture(scope="module")
def killed(model: Factory) -> Run:
    """A run whose first step was killed. Airflow tries it again after a minute."""
    run = model.run("hold")
    has_begun(model, run)
    docker("kill", *model.containers(run, "hold"))
    return run


@pytest.fixture(scope="module")
def held(model: Factory, killed: Run) -> Run:
    """A run of the first release, in its first step."""
    run = model.run("hold")
    has_begun(model, run)
    return run


def has_begun(model: Factory, run: Run, attempt: int = 1) -> None:
    wait_for(
        f"the step of try {attempt}",
        lambda: "it has begun" in model.lines(run, "hold", attempt),
        180,
    )


def let_go(model: Factory, run: Run) -> None:
    [container] = model.containers(run, "hold")
    docker("exec", container, "touch", "/mnt/run/go")


def test_a_killed_step_fails_its_try(model: Factory, killed: Run) -> None:
    wait_for("its end", lambda: model.states(killed)["hold"] == "up_for_retry")
    assert model.airflow.told(killed.path)["state"] == "running"
    assert "It was killed" in model.said(killed, "hold")


@pytest.mark.parametrize("what", ["run", "task"])
def test_who_cancels_ends_the_service(model: Factory, what: str) -> None:
    """Its run in MLflow ends as well, with the notebook as far as it came."""
    run = model.run("hold")
    has_begun(model, run)
    if what == "run":
        path, state = run.path, {"state": "failed"}
    else:
        path, state = f"{run.path}/taskInstances/hold", {"new_state": "failed"}
    assert model.airflow.ask("PATCH", path, state).status == 200
    model.nothing_is_left(run)
    assert model.ended(run) == "failed"
    [tracked] = model.tracked(run, "hold")
    assert tracked["status"] == "KILLED"
    assert "it has begun" in model.page(tracked["id"], "hold.html")


def test_a_failing_cell(model: Factory) -> None:
    run = model.run("fail")
    assert model.ended(run) == "failed"
    lines = model.lines(run, "fail")
    why = "fail.ipynb, cell 3: ValueError: no rows"
    assert why in lines
    own = [line for line in lines[lines.index(why) :] if not line.lower().startswith("trigger ")]
    assert own == [why, why], "the last that the step says, and why the task failed"
    [tracked] = model.tracked(run, "fail")
    assert tracked["status"] == "FAILED"
    page = model.page(tracked["id"], "fail.html")
    assert "looking at the rows" in page
    assert "no rows" in page
    model.nothing_is_left(run)


def test_notebooks_are_given_the_logical_date(model: Factory) -> None:
    """By catch-up, and by a backfill of years that the pipeline was not there for."""
    body = {"from_date": "2021-01-01T00:00:00Z", "to_date": "2022-01-01T00:00:00Z"}
    asked = {"dag_id": model.dag("yearly"), **body}
    assert model.airflow.ask("POST", "/backfills", asked).status == 200
    for pipeline, years in (("yearly", [2021, 2022, 2025]), ("caught-up", [2024, 2025])):
        listed = f"/dags/{model.dag(pipeline)}/dagRuns"
        for year in years:

            def run_of(year: int = year, listed: str = listed) -> list[str]:
                runs = model.airflow.told(listed)["dag_runs"]
                start = f"{year}-01-01T00:00:00Z"
                return [each["dag_run_id"] for each in runs if each["logical_date"] == start]

            [name] = wait_for(f"the run of {year}", run_of)
            run = Run(f"{listed}/{name}")
            assert model.ended(run) == "success"
            first, last = (f"{each}-01-01T00:00:00+00:00" for each in (year, year + 1))
            assert f"when: {first} {first} {last}" in model.lines(run, "when")


def test_two_pushes_at_once(model: Factory, held: Run) -> None:
    """Both are answered, and the later one is released."""
    first = model.commit({"README.md": "The first of two.\n"})
    with ThreadPoolExecutor() as pool:
        told = pool.submit(model.push)
        there = "git ls-remote origin main"
        wait_for("it", lambda: model.owner.does(there, at=model.model).startswith(first))
        other = notebook(cell("run_dir = 'run'", "parameters"), cell("print('changed')"))
        second = model.commit({"after.ipynb": other})
        later = model.push()
    assert "remote: released: " in told.result()
    assert "remote: waiting for the release of the push before" in later
    assert "remote: released: " in later
    assert [each["state"] for each in model.releases()[:2]] == ["released", "released"]
    assert [each["commit"] for each in model.releases()[:2]] == [second, first]
    assert model.current == second


def test_a_push_in_the_middle_of_a_run(model: Factory, held: Run) -> None:
    """It goes on with the release that it began with."""
    model.dag("hold", model.current)
    let_go(model, held)
    assert model.ended(held) == "success"
    assert "once" in model.lines(held, "after")
    first = model.releases()[-1]
    for step in ("hold", "after"):
        assert f"Commit {first['commit']}, as" in model.said(held, step)


def test_without_the_registry_nothing_is_released(model: Factory) -> None:
    """The pusher learns what to do, and what was released before runs on."""
    before = model.current
    run = model.run("hold", before)
    has_begun(model, run)
    commit = model.commit({"README.md": "There is no registry.\n"})
    with without(model.site, "registry"):
        said = model.push()
        assert re.search("remote: not released: push: registry: .*notehive model release", said)
        assert model.current == before
        let_go(model, run)
        assert model.ended(run) == "success"
        assert "changed" in model.lines(run, "after")
    model.owner.does("notehive model release", at=model.model)
    assert model.current == commit


@pytest.mark.parametrize("signal", ["TERM", pytest.param("KILL", marks=pytest.mark.long)])
def test_a_step_outlives_scheduler_and_triggerer(model: Factory, signal: str) -> None:
    """It is followed again, and not started twice."""
    run = model.run("hold")
    has_begun(model, run)
    [container] = model.containers(run)
    parts = [model.site.container(f"airflow-{part}") for part in ("scheduler", "triggerer")]
    docker("kill", "--signal", signal, *parts)
    again = "Its service is there already, and is followed again."
    wait_for("the triggerer", lambda: again in model.lines(run, "hold"), 240)
    assert model.containers(run, ended=True) == [container]
    let_go(model, run)
    assert model.ended(run, 240) == "success"
    put_dags(model.site)  # as they were, for other tests: the scheduler is a new container
    assert [each["status"] for each in model.tracked(run, "hold")] == ["FINISHED"]
    model.nothing_is_left(run)


def test_what_was_killed_is_tried_again_once(model: Factory, killed: Run) -> None:
    """Of its two runs in MLflow one counts, and the other one says so."""
    has_begun(model, killed, 2)
    let_go(model, killed)
    assert model.ended(killed) == "success"
    tried = model.tracked(killed, "hold")
    assert [each["status"] for each in tried] == ["KILLED", "FINISHED"]
    superseded = [each["tags"].get("notehive.superseded_by_try") for each in tried]
    assert superseded == ["2", None]
    assert model.said(killed, "after").count("once") == 2
    model.nothing_is_left(killed)


@pytest.mark.long
@pytest.mark.parametrize(
    ("service", "word"),
    [
        (
            "builder",
            "not released: smoke: builder: it was ended meanwhile; `notehive model release`",
        ),
        ("api", "the service `api` was ended meanwhile; it goes on when it is back"),
    ],
)
def test_a_part_that_ends_in_the_middle_of_a_release(
    model: Factory, service: str, word: str
) -> None:
    """The pusher reads it, and what to do; the API goes on by itself."""
    site = model.site
    commit = model.commit({"README.md": f"Without {service}.\n"})
    with ThreadPoolExecutor() as pool:
        said = pool.submit(model.push)
        wait_for("the smoke", lambda: site.of_kind("smoke"), 120)
        docker("kill", "--signal", "TERM", site.container(service))
    assert word in said.result()
    if service == "builder":

        def released() -> bool:
            return model.owner.shell("notehive model release", at=model.model)[0] == 0

        wait_for("the builder", released, 240)
    wait_for("the release", lambda: model.current == commit, 240)


@contextmanager
def without(site: Site, service: str) -> Iterator[None]:
    """The site without a service of it."""
    name = f"{site.name}_{service}"
    docker("service", "scale", f"{name}=0")
    try:
        yield
    finally:
        docker("service", "scale", f"{name}=1")
