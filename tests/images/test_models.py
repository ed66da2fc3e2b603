"""Model projects in notebook images: the template is right, is checked, and runs."""

import json

from .containers import Container, Containers

MAKE = "import pathlib, notehive.models.new as new; new.make(pathlib.Path('/tmp/churn'), 'churn')"
RUN = "cd /tmp/churn && MLFLOW_TRACKING_URI=sqlite:////tmp/mlflow.db papermill --no-progress-bar"
FOUND = """
import json, mlflow, pandas
mlflow.set_tracking_uri("sqlite:////tmp/mlflow.db")
client = mlflow.MlflowClient()
version = client.get_model_version_by_alias("churn", "challenger")
run = client.get_run(version.run_id)
model = mlflow.pyfunc.load_model("models:/churn@challenger")
predictions = pandas.read_parquet("/tmp/churn/run/predictions.parquet")
print(json.dumps({
    "artifacts": [f.path for f in client.list_artifacts(version.run_id, "reference")],
    "data": [each.dataset.name for each in run.inputs.dataset_inputs],
    "inputs": model.metadata.signature.inputs.input_names(),
    "metrics": run.data.metrics,
    "predictions": [len(predictions), *predictions.columns],
}))
"""


def project(image: str, containers: Containers) -> Container:
    container = containers.idle(image)
    container.python(MAKE)
    return container


def test_the_template_has_no_problem(datascience: str, containers: Containers) -> None:
    container = project(datascience, containers)
    assert container.sh("cd /tmp/churn && notehive model check") == "No problems."


def test_the_notebooks_and_the_tests_of_the_template_run(
    datascience: str, containers: Containers
) -> None:
    container = project(datascience, containers)
    container.sh(f"{RUN} -p test_size 0.5 prepare.ipynb /tmp/prepare.ipynb")
    container.sh(f"{RUN} -p C 0.5 train.ipynb /tmp/train.ipynb")
    container.sh(f"{RUN} -p rows 40 -p alias challenger predict.ipynb /tmp/predict.ipynb")
    found = json.loads(container.python(FOUND).splitlines()[-1])
    features = ["age", "months", "monthly", "contract"]
    assert found["artifacts"] == ["reference/features.parquet"]
    assert found["data"] == ["train"]
    assert found["inputs"] == features
    assert found["metrics"]["roc_auc"] > 0.7
    assert found["predictions"] == [40, *features, "prediction", "model_version", "run"]
    executed = "".join(container.sh(f"cat /tmp/{n}.ipynb") for n in ("prepare", "train", "predict"))
    assert "warning" not in executed.lower()
    assert "2 passed" in container.sh("cd /tmp/churn && python3 -m pytest -q -p no:cacheprovider")


def test_an_import_of_the_home_is_named(base: str, containers: Containers) -> None:
    container = project(base, containers)
    container.sh(
        "mkdir -p ~/.local/lib/python3.13/site-packages && cd ~/.local/lib/python3.13/site-packages"
        " && mkdir pandas pandas-9.dist-info && touch pandas/__init__.py"
        " && printf 'Name: pandas\\nVersion: 9\\n' > pandas-9.dist-info/METADATA"
        " && echo pandas > pandas-9.dist-info/top_level.txt"
    )
    said = container.sh("notehive model check /tmp/churn 2>&1; echo $?").splitlines()
    assert said[-1] == "2"
    assert (
        "data.py: line 4: imports pandas, which only your home has (pandas 9); "
        "add pandas to requirements.txt"
    ) in said


def test_requirements_that_cannot_be_had(base: str, containers: Containers) -> None:
    """Asks the package index of the image, or none that answers: both say what is missing."""
    container = project(base, containers)
    container.sh("echo 'no-such-package-of-notehive==7' > /tmp/churn/requirements.txt")
    said = container.python(
        "import pathlib, subprocess\n"
        "from notehive.models.checks import resolution\n"
        "def run(command):\n"
        "    done = subprocess.run(command, capture_output=True, text=True)\n"
        "    return done.returncode, done.stderr\n"
        "for problem in resolution.check(pathlib.Path('/tmp/churn'), run): print(problem)"
    )
    assert said.startswith("requirements.txt: line 1: No matching distribution found for no-such-")


def test_a_broken_home_does_not_keep_the_command_from_starting(
    image: str, containers: Containers
) -> None:
    container = project(image, containers)
    container.sh(
        "mkdir -p ~/.local/lib/python3.13/site-packages"
        " && echo 'raise SystemExit(9)' > ~/.local/lib/python3.13/site-packages/typer.py"
        " && echo 'raise SystemExit(9)' > /tmp/churn/yaml.py"
    )
    said = container.sh("cd /tmp/churn && notehive --help")
    assert "model" in said
    assert "yaml.py" not in container.sh("cd /tmp/churn && notehive model check 2>&1 || true")
