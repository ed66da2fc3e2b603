"""The pure parts of bench/batch.py and bench/dags.py: projects, times, figures, tables."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import cells, chain, costs, factory, growth, making, stock_airflow, tables
from bench.chain import Chain, Events
from bench.ways import Times
from notehive.jobs import release
from notehive.jobs.service import Begun
from notehive.models import project

EVENT = '{"Action": "%s", "timeNano": %d}\n'
PINS = """
apache-airflow-core[statsd]==3.3.2 \\
    --hash=sha256:0
docker==7.2.0 \\
papermill==2.7.0 \\
"""


def test_the_notebook_has_21_cells_and_its_project_is_one() -> None:
    files = cells.project("bench")
    found, problems = project.parse(files["model.yml"])
    assert found, problems
    assert [pipeline.tracking for pipeline in found.pipelines.values()] == [False, True]
    assert files["work.ipynb"].count('"cell_type": "code"') == cells.CELLS


def test_steps_that_run_at_once_need_none_of_each_other(tmp_path: Path) -> None:
    begun = Begun("127.0.0.1:1/models/lab/waiting@sha256:0", "c0ffee")
    factory.publish(tmp_path, growth.MODEL, growth.declared(3, 4), begun)
    found = release.read(tmp_path, factory.GROUP, growth.MODEL)
    assert found.image == begun.image
    assert len(found.pipelines) == 3
    for name, pipeline in found.pipelines.items():
        assert [task.needs for task in found.tasks(name)] == [()] * 4
        assert pipeline["parameters"]["do"] == "import time; time.sleep(3600)"


def test_many_models_are_published_under_their_names(tmp_path: Path) -> None:
    dags = making.publish(tmp_path, 3)
    assert dags == [f"lab.model-{number}.train" for number in range(3)]
    assert len(list(release.published(tmp_path))) == 3


def test_what_is_heard_of_jobs() -> None:
    heard = Events()
    heard.read(EVENT % ("start", 1_500_000_000) + EVENT % ("die", 2_000_000_000))
    assert heard.started == [datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC)]
    assert heard.ended == [datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC)]


class Told:
    """Stands in for an Airflow whose only run has ended."""

    def run(self, dag: str) -> str:
        return f"/dags/{dag}/dagRuns/1"

    def ended(self, run: str) -> str:
        return "success"

    def told(self, path: str) -> Any:
        if path.endswith("/taskInstances"):
            task = {"start_date": "2026-01-01T00:00:01.5Z", "end_date": "2026-01-01T00:00:05Z"}
            return {"task_instances": [task]}
        return {"queued_at": "2026-01-01T00:00:01Z", "end_date": "2026-01-01T00:00:07.25Z"}


def test_times_of_a_run_are_counted_from_its_queue() -> None:
    assert chain.in_airflow(Told(), "work") == Chain(0.5, 0.5, 6.25, 2.25)


def test_a_job_is_compared_with_the_run_beside_it() -> None:
    runs = {
        "job": [Times(3.0, 2.0), Times(5.0, 2.0), Times(4.0, 2.0)],
        "docker run": [Times(2.0, 1.5), Times(4.5, 1.5), Times(3.2, 1.5)],
        "papermill": [Times(8.0, 7.0)] * 3,
    }
    found = costs.of_runs(runs)
    assert found["job_above_docker_run"]["median"] == 0.8
    assert found["job_to_papermill"]["ratio"] == 0.5
    assert found["seconds"]["papermill"]["inside"]["median"] == 7.0


def test_both_airflows_are_of_one_version() -> None:
    assert stock_airflow.versions(PINS, "papermill==2.7.0 \\\n") == (
        "apache-airflow-core==3.3.2\npapermill==2.7.0\n"
    )


def result(figures: Any) -> dict[str, Any]:
    return {
        "command": "python -m bench.x",
        "commit": "c0ffee",
        "at": "2026-01-01",
        "machine": {"cores": 2, "docker": "20.10"},
        "load_before": 0.1,
        "figures": figures,
    }


def test_tables_of_runs() -> None:
    runs = {name: [Times(3.0, 2.0)] * 2 for name in tables.WAYS}
    chains = {name: [Chain(0.5, 2.0, 6.0, 1.0)] * 2 for name in tables.AIRFLOWS}
    made = result({"runs": costs.of_runs(runs), "chains": costs.of_chains(chains)})
    page = tables.batch(made)
    row = next(line for line in page.splitlines() if "plain `papermill` by" in line)
    assert [cell.strip() for cell in row.split("|")[2:5]] == ["3.00 s", "3.00 s", "2.00 s"]
    assert "A job takes 0.00 s above" in page
    assert "commit c0ffee" in page


def test_tables_of_dags() -> None:
    each = {"one": {"median": 0.2}, "all": {"median": 4.0}}
    ratio = {"ratio": 0.05, "low": 0.04, "high": 0.06}
    figures = {
        "making": {
            "dags": {"one": 1, "all": 400},
            "seconds": each,
            "importing_seconds": each,
            "mib": {"one": 5.0, "all": 60.0},
            "one_to_all": {"seconds": ratio},
        },
        "stock": {"idle_mib": 900.0, "for_each_step_mib": {"airflow": 98.0, "kernels": 60.0}},
        "notehive": {
            "steps": 100,
            "idle_mib": {"airflow": 300.0, "all": 1000.0},
            "running_mib": {"airflow": 310.0, "all": 1050.0},
            "growth_mib": {"airflow": 10.0, "all": 50.0},
        },
    }
    page = tables.dags(result(figures))
    assert "0.05 (0.04 to 0.06) of the time of all" in page
    assert "0.50 MiB for each step" in page
    assert "for each notebook that runs 98 MiB more" in page
