"""For notebooks: data sets of a run, kept in MLflow so that any version can be trained on again.

from notehive.models import data

data.log("customers", train=train, test=test, scaler=scaler)
train = data.load("customers", "3f2a...")
"""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from notehive.models.step import notes

REFERENCE = "reference/features.parquet"  # where the step `drift` looks for it
DIGITS = 32  # of a version; MLflow takes 36


def log(name: str, *, scaler: Any = None, **parts: Any) -> dict[str, str]:
    """Log data sets as inputs of the run, and keep them; give the version of each part.

    ``parts`` are pandas DataFrames by what they are for, like ``train`` and ``test``: that is the
    context of the input in MLflow, which also gets their numbers of rows. Content that the
    experiment has already is not kept twice. ``scaler`` is a fitted transformer of scikit-learn,
    whose parameters are kept as well.
    """
    import mlflow.data
    from mlflow.data.code_dataset_source import CodeDatasetSource

    import mlflow

    mlflow.active_run() or mlflow.start_run()
    versions = {}
    for part, frame in parts.items():
        versions[part] = version = digest(frame)
        place = _source(name, version) or _keep(name, version, frame)
        # MLflow has no source for its own artifacts, but one that carries tags.
        source = CodeDatasetSource({"uri": place})
        dataset = mlflow.data.from_pandas(frame, source=source, name=name, digest=version)
        mlflow.log_input(dataset, context=part)
        mlflow.log_param(f"{name}.{part}.rows", len(frame))
        if run_dir := os.environ.get("NOTEHIVE_RUN_DIR"):
            notes.add_data(Path(run_dir), f"{name}.{part}", version)
    if scaler is not None:
        mlflow.log_dict(fitted(scaler), f"data/{name}/scaler.json")
    return versions


def load(name: str, version: str) -> Any:
    """Give a data set as it was logged by any run of the active experiment.

    Raises LookupError if no run of it knows this version.
    """
    import mlflow.artifacts
    import pandas as pd

    source = _source(name, version)
    if source is None:
        raise LookupError(f"no run of this experiment has logged version {version} of {name}")
    frame = pd.read_parquet(mlflow.artifacts.download_artifacts(artifact_uri=source))
    if digest(frame) != version:
        raise LookupError(f"{source} is not version {version} of {name} any more")
    return frame


def keep_reference(features: Any) -> None:
    """Keep the features of the training with the run, for the step `drift` to compare with."""
    import mlflow

    mlflow.active_run() or mlflow.start_run()
    _upload(features, REFERENCE)


def digest(frame: Any) -> str:
    """Give the version of a data set: a digest of its columns, types and rows, in their order."""
    import pandas as pd

    found = hashlib.sha256()
    for name in frame.columns:
        found.update(json.dumps([str(name), str(frame[name].dtype)]).encode())
    found.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return found.hexdigest()[:DIGITS]


def fitted(transformer: Any) -> dict[str, Any]:
    """Give what a transformer of scikit-learn has learned: its attributes that end with `_`."""
    return {
        key: value.tolist() if hasattr(value, "tolist") else value
        for key, value in vars(transformer).items()
        if key.endswith("_") and not key.startswith("_")
    }


def _source(name: str, version: str) -> str | None:
    """Give where a version is kept, if a run of the active experiment has logged it."""
    import mlflow

    query = f"dataset.name = '{name}' AND dataset.digest = '{version}'"
    for run in mlflow.search_runs(filter_string=query, max_results=1, output_format="list"):
        for used in run.inputs.dataset_inputs:
            if (used.dataset.name, used.dataset.digest) == (name, version):
                return str(json.loads(used.dataset.source)["tags"]["uri"])
    return None


def _keep(name: str, version: str, frame: Any) -> str:
    import mlflow

    place = f"data/{name}/{version}.parquet"
    _upload(frame, place)
    return str(mlflow.get_artifact_uri(place))


def _upload(frame: Any, place: str) -> None:
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / Path(place).name
        frame.to_parquet(file, index=False)
        mlflow.log_artifact(str(file), str(Path(place).parent))
