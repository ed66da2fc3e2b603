"""The welcome notebook runs from top to bottom and leaves a run behind."""

import json
from typing import Any

from .containers import Containers

OUT = "/tmp/out.ipynb"
RUN = """
import json, mlflow
mlflow.set_tracking_uri("sqlite:////tmp/work/mlflow.db")
client = mlflow.MlflowClient()
experiment = client.get_experiment_by_name("ada/welcome")
[run] = client.search_runs([experiment.experiment_id])
[model] = client.search_logged_models([experiment.experiment_id])
print(json.dumps({
    "artifacts": [file.path for file in client.list_artifacts(run.info.run_id)],
    "metrics": run.data.metrics,
    "model": model.name,
    "params": run.data.params,
    "user": run.data.tags["mlflow.user"],
}))
"""


def test_welcome_notebook(datascience: str, containers: Containers) -> None:
    container = containers.idle(datascience)
    container.sh("populate-home; mkdir /tmp/work")
    container.sh(
        "cd /tmp/work && JUPYTERHUB_USER=ada docker-entrypoint"
        f" papermill -p regularization 0.5 ~/Welcome.ipynb {OUT}"
    )
    run = json.loads(container.python(RUN).splitlines()[-1])
    assert sorted(run["artifacts"]) == ["confusion_matrix.png", "roc_curve.png"]
    assert run["metrics"].keys() == {"accuracy", "roc_auc"}
    assert min(run["metrics"].values()) > 0.95
    assert run["model"] == "model"
    assert run["params"]["C"] == "0.5"
    assert run["user"] == "ada"

    outputs = [cell.get("outputs") for cell in json.loads(container.sh(f"cat {OUT}"))["cells"]]
    assert "warning" not in json.dumps(outputs).lower()


def test_welcome_notebook_is_clean(datascience: str, containers: Containers) -> None:
    container = containers.idle(datascience)
    container.python("import nbformat; nbformat.read('/etc/skel/Welcome.ipynb', as_version=4)")
    welcome: dict[str, Any] = json.loads(container.sh("cat /etc/skel/Welcome.ipynb"))
    assert (welcome["nbformat"], welcome["nbformat_minor"]) == (4, 5)
    assert welcome["metadata"]["kernelspec"]["name"] == "python3"
    code = [cell for cell in welcome["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)
    assert [cell for cell in code if "parameters" in cell["metadata"].get("tags", [])]
