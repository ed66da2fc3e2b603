"""An image that was just built is tried: its notebooks and tests, within its size and its walls."""

import json
import threading
from collections.abc import Iterator

import pytest

from tests.support import scan
from tests.support.projects import cell, notebook
from tests.support.site import Site, docker, wait_for
from tests.support.workshop import Answer, Workshop

MODEL = """\
name: {name}
image: base
size: small
pipelines:
  fit: {{parameters: {{rows: 1000}}, smoke: {{rows: 10}}, steps: [fit.ipynb]}}
"""
PARAMETERS = cell("rows = 1", "parameters")
# Nginx and the hub's API every server may ask, where it is nobody without a token.
PROBE = """
import json, os, socket
opened = []
for host, port in json.loads({asked!r}):
    try:
        socket.create_connection((host, port), 1).close()
        opened.append(f"{{host}}:{{port}}")
    except OSError:
        pass
print("opened", *opened)
print("secrets", os.listdir("/run/secrets") if os.path.exists("/run/secrets") else [])
print("told", *sorted(name for name in os.environ if "TOKEN" in name or "HUB" in name))
print("mlflow", os.environ["MLFLOW_TRACKING_URI"].partition(":")[0])
"""


@pytest.fixture(scope="module")
def workshop(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    made = Workshop(site, tmp_path_factory.mktemp("smoke"))
    yield made
    assert not site.of_kind("smoke")
    made.remove_images()


def tried(workshop: Workshop, name: str, *cells: str, **files: str) -> Answer:
    """Have a model with a notebook of these cells built and tried."""
    fit = notebook(PARAMETERS, *map(cell, cells))
    project = {"model.yml": MODEL.format(name=name), "fit.ipynb": fit, **files}
    commit = workshop.commit(name, project)
    workshop.make("build", name, commit)
    return workshop.ask("smoke", name, commit)


def test_an_image_that_passes(site: Site, workshop: Workshop) -> None:
    """It is given what smoke says, a store of MLflow's own, and nothing of the platform."""
    near = {scan.address(site, each) for each in ("nginx", "hub", "proxy")}
    near |= {each for each in scan.of_node() if ":" not in each} | scan.on_bridge(site)
    hosts = sorted({*near, "postgres", "registry", "guard", "builder", "mlflow"})
    ports = (22, 2375, 2377, 5000, 5432, 8000, 8081, 8092, site.port)
    own = site.settings["network"]["registry_port"]
    asked = [(host, port) for host in hosts for port in (*ports, own, own + 1)]
    allowed = sorted((host, port) for host, port, _ in scan.allowed(site))
    answer = tried(
        workshop,
        "passes",
        "print('given', rows)",
        PROBE.format(asked=json.dumps(asked)),
        "import mlflow\nwith mlflow.start_run():\n    mlflow.log_metric('a', 1)",
        **{"tests/test_a.py": "import helper\n\n\ndef test_a():\n    assert helper.a == 1\n"},
        **{"helper.py": "a = 1\n"},
    )
    lines = answer.log.splitlines()
    assert answer.code == 0, answer.log
    assert "fit / fit.ipynb" in lines
    assert "given 10" in lines
    assert [line.partition(": ")[0] for line in lines if line.startswith("cell ")] == [
        f"cell {number} of 4" for number in (1, 2, 3, 4)
    ]
    [opened] = [line.split()[1:] for line in lines if line.startswith("opened")]
    assert sorted(opened) == [f"{host}:{port}" for host, port in allowed]
    assert {"secrets []", "told", "mlflow sqlite"} <= set(lines)
    assert any("1 passed" in line for line in lines)


def test_a_failing_cell(workshop: Workshop) -> None:
    answer = tried(workshop, "cell", "a = rows", "print('near')\na / 0", "print('never')")
    assert answer.code == 2
    assert answer.last == "fit.ipynb, cell 3: ZeroDivisionError: division by zero"
    assert "near" in answer.log
    assert "Traceback (most recent call last)" in answer.log
    assert "never" not in answer.log


def test_a_failing_test(workshop: Workshop) -> None:
    test = {"tests/test_a.py": "def test_a():\n    assert 1 + 1 == 3\n"}
    answer = tried(workshop, "test", "rows", **test)
    assert (answer.code, answer.last) == (2, "tests/test_a.py, test_a: assert (1 + 1) == 3")


def test_the_memory_of_its_size_is_the_limit(workshop: Workshop) -> None:
    answer = tried(workshop, "hungry", "food = [0] * (1 << 29)")
    assert answer.code == 2
    assert answer.last == (
        "fit.ipynb, cell 2: KernelDied: the job's memory limit of 1.0 GB was reached; "
        "choose a larger size"
    )


def test_a_client_that_goes_away_ends_it(site: Site, workshop: Workshop) -> None:
    slow = notebook(PARAMETERS, cell("import time; time.sleep(1000)"))
    project = {"model.yml": MODEL.format(name="slow"), "fit.ipynb": slow}
    commit = workshop.commit("slow", project)
    workshop.make("build", "slow", commit)
    asking = threading.Thread(
        target=workshop.ask, args=("smoke", "slow", commit), kwargs={"seconds": 10}
    )
    asking.start()
    [service] = wait_for("the service", lambda: site.of_kind("smoke"))
    name = docker("service", "inspect", "--format", "{{.Spec.Name}}", service)
    wait_for("its container", lambda: site.containers(name, ended=False))
    asking.join()
    wait_for("its end", lambda: not site.of_kind("smoke"))
    wait_for("the end of its container", lambda: not site.containers(name, ended=False))


def test_a_notebook_image_starts(workshop: Workshop) -> None:
    commit = workshop.commit("viz", {"model.yml": "name: viz\nimage: base\nkind: image\n"})
    workshop.make("build", "viz", commit)
    answer = workshop.make("smoke", "viz", commit)
    lines = answer.log.splitlines()
    assert "JupyterLab" in lines
    assert lines[-1] == "the kernel python3"


def test_a_size_that_there_is_not(workshop: Workshop) -> None:
    model = MODEL.format(name="huge").replace("size: small", "size: huge")
    commit = workshop.commit("huge", {"model.yml": model, "fit.ipynb": notebook(PARAMETERS)})
    answer = workshop.ask("check", "huge", commit)
    assert (answer.code, answer.last) == (
        2,
        "model.yml: size: huge: there is none for the group lab; there are medium, small",
    )
