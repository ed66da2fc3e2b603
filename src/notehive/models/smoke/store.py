"""A store of MLflow's own for one trial: what is logged and registered reaches no team."""

from pathlib import Path

# By it a server of MLflow tells its own parts where artifacts are. Without it they would go to the
# folder of the notebook, which nobody can write to.
ARTIFACTS = "_MLFLOW_SERVER_ARTIFACT_ROOT"


def variables(folder: Path, model: str) -> dict[str, str]:
    """Give the variables by which MLflow's client keeps all in a folder, which is absolute."""
    return {
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        ARTIFACTS: str(folder / "artifacts"),
        "MLFLOW_EXPERIMENT_NAME": model,
    }
