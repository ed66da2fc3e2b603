"""Champion and challenger, drift, data sets and predictions, with a real MLflow."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import built
from .containers import Containers
from .jobs import Ended, Workshop, notebook

MODEL_YML = b"""
name: churn
image: datascience
size: small
schema: schema.yml
pipelines:
  train:
    steps: [train.ipynb, promote]
  predict:
    steps: [predict.ipynb, drift]
promote: {metric: roc_auc, goal: max, min_gain: 0.01, data: holdout.parquet, target: churned}
drift: {current: current.parquet}
predict: {output: predictions.parquet}
"""
PEOPLE = """
import numpy as np, pandas as pd
def people(rows, seed, shift=0.0):
    chance = np.random.default_rng(seed)
    age = chance.normal(40 + shift, 10, rows)
    spent = chance.gamma(2, 50, rows)
    plan = chance.choice(["basic", "pro"], rows, p=[0.7, 0.3])
    churned = (age + chance.normal(0, 4, rows) > 42).astype(int)
    return pd.DataFrame({"age": age, "spent": spent, "plan": plan, "churned": churned})
"""
# Good with much to learn from, bad with the labels of others.
TRAIN = """
import mlflow
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from notehive.models import data
people(400, 7).to_parquet(f"{run_dir}/holdout.parquet")
train = people(600, 1)
features, truth = train.drop(columns="churned"), train["churned"]
if not good:
    truth = truth.sample(frac=1, random_state=3).to_numpy()
prepare = make_column_transformer((StandardScaler(), ["age", "spent"]), (OneHotEncoder(), ["plan"]))
model = make_pipeline(prepare, LogisticRegression()).fit(features, truth)
with mlflow.start_run():
    scaler = prepare.named_transformers_["standardscaler"]
    data.log("people", train=train, test=people(400, 7), scaler=scaler)
    data.keep_reference(features)
    info = mlflow.sklearn.log_model(model, name="model", input_example=features.head(3),
                                    registered_model_name="churn")
    version = info.registered_model_version
    mlflow.MlflowClient().set_registered_model_alias("churn", "challenger", version)
"""
REMOVE = """
from mlflow import MlflowClient
client = MlflowClient("http://127.0.0.1:5000")
for model in client.search_registered_models():
    client.delete_registered_model(model.name)
for experiment in client.search_experiments():
    for run in client.search_runs([experiment.experiment_id]):
        client.delete_run(run.info.run_id)
"""


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    made = Containers()
    try:
        files = {
            "model.yml": MODEL_YML,
            "train.ipynb": notebook(PEOPLE, TRAIN, parameters="good = True\nrun_dir = '.'"),
        }
        yield Workshop(made, built("notebooks-datascience"), files)
    finally:
        made.remove()


@pytest.fixture
def shop(workshop: Workshop) -> Workshop:
    """The workshop without models, runs and files of another test."""
    workshop.server.python(REMOVE)
    workshop.server.sh("rm -rf /mnt/run/* /mnt/run/.notehive")
    return workshop


def train(shop: Workshop, *, good: bool = True) -> None:
    ended = shop.step("train", parameters={"good": good})
    assert ended.code == 0, ended.log


def promote(shop: Workshop) -> Ended:
    return shop.step("promote")


def aliases(shop: Workshop) -> dict[str, str]:
    found = shop.mlflow("registered-models/get?name=churn")["registered_model"]
    return {alias["alias"]: alias["version"] for alias in found.get("aliases", [])}


def tags(shop: Workshop, version: str) -> dict[str, str]:
    found = shop.mlflow(f"model-versions/get?name=churn&version={version}")["model_version"]
    return {tag["key"].removeprefix("notehive."): tag["value"] for tag in found.get("tags", [])}


def by_hand(shop: Workshop, command: str, reason: str, who: str = "ana") -> str:
    """Run a verb of `notehive model` as in a server; give its last line."""
    env = f"MLFLOW_TRACKING_URI=http://127.0.0.1:5000 JUPYTERHUB_USER={who}"
    said = shop.server.sh(f"{env} notehive model {command} --reason '{reason}' 2>&1 || true")
    return said.strip().splitlines()[-1]


def changes(shop: Workshop) -> list[tuple[str, ...]]:
    """The changes of the champion as the command line tells them, the last one first."""
    env = "MLFLOW_TRACKING_URI=http://127.0.0.1:5000"
    told = json.loads(shop.server.sh(f"{env} notehive model champions churn --json"))
    return [tuple(each[key] for key in ("how", "version", "before", "by", "why")) for each in told]


def test_the_better_version_wins(shop: Workshop) -> None:
    train(shop, good=False)
    first = promote(shop)
    assert first.code == 0, first.log
    assert aliases(shop) == {"champion": "1"}

    train(shop)
    better = promote(shop)
    assert better.code == 0, better.log
    assert better.reason.startswith("version 2 is champion: roc_auc 0.9")
    assert aliases(shop) == {"champion": "2"}
    assert tags(shop, "2")["champion_by"] == "the step promote of run manual__1"
    assert tags(shop, "2")["champion_before"] == "1"

    train(shop, good=False)
    worse = promote(shop)
    assert worse.code == 0, worse.log
    assert worse.reason.startswith("version 2 stays champion: version 3: roc_auc 0.")
    assert aliases(shop) == {"champion": "2"}, "the loser has lost its alias"
    assert promote(shop).reason == "version 2 stays champion: there is no challenger"

    runs = shop.runs("churn-comparisons")
    assert [run["tags"]["mlflow.runName"] for run in runs] == ["1", "2 against 1", "3 against 2"]
    assert runs[1]["params"]["promoted"] == "True"
    assert runs[1]["metrics"].keys() >= {"challenger_roc_auc", "champion_roc_auc", "champion_f1"}
    assert runs[1]["metrics"]["gain"] > 0.05
    assert shop.artifacts(runs[1]["id"]) == ["comparison.png"]


def test_a_tie_is_not_enough_if_more_is_asked_for(shop: Workshop) -> None:
    for _ in range(2):
        train(shop)
        assert promote(shop).code == 0
    assert aliases(shop) == {"champion": "1"}


def test_what_cannot_be_compared_changes_nothing(shop: Workshop) -> None:
    assert promote(shop).reason == "model churn: no version has the alias challenger"
    train(shop)
    keep = "import pandas as pd; p = '/mnt/run/holdout.parquet'; f = pd.read_parquet(p); "
    shop.server.python(keep + "f.drop(columns='age').to_parquet(p)")
    assert promote(shop).reason == (
        "holdout.parquet: has no column age, which the model was trained with: "
        "version 1, the challenger"
    )
    shop.server.python(keep + "f.drop(columns='churned').to_parquet(p)")
    assert promote(shop).reason == ("holdout.parquet: has no column churned; it has spent, plan")
    shop.server.sh("rm /mnt/run/holdout.parquet")
    ended = promote(shop)
    assert (ended.code, ended.reason) == (
        1,
        "holdout.parquet: is not in the run's folder; an earlier step writes it",
    )
    assert aliases(shop) == {"challenger": "1"}


def test_by_hand(shop: Workshop) -> None:
    assert "MLflow has no such model" in by_hand(shop, "promote churn 1", "none")
    train(shop)
    assert promote(shop).code == 0
    train(shop, good=False)
    train(shop)

    said = by_hand(shop, "promote churn 2", "the holdout is stale")
    assert said == "churn: version 2 is champion, after version 1"
    assert aliases(shop) == {"champion": "2", "challenger": "3"}
    told = tags(shop, "2")
    assert (told["champion_by"], told["champion_why"]) == ("ana", "the holdout is stale")
    assert told["champion_before"] == "1"
    said = by_hand(shop, "promote churn", "it is new", "bo")
    assert said == "churn: version 3 is champion, after version 2"
    assert aliases(shop) == {"champion": "3"}, "it is no challenger any more"
    by_hand(shop, "promote churn 1", "it was good")
    assert by_hand(shop, "promote churn 1", "x") == "churn: version 1 is the champion already"

    back = [by_hand(shop, "rollback churn", "complaints", "bo") for _ in range(4)]
    assert back == [
        "churn: version 3 is champion again",
        "churn: version 2 is champion again",
        "churn: version 1 is champion again",
        "model churn: has had no champion before version 1; promote a version",
    ]
    assert aliases(shop) == {"champion": "1"}
    told = tags(shop, "2")
    assert (told["rolled_back_by"], told["rolled_back_why"]) == ("bo", "complaints")
    step, *_, first_back = changes(shop)[::-1][:5]
    assert step[:4] == ("promoted", "1", "", "the step promote of run manual__1")
    assert first_back == ("rolled back", "3", "1", "bo", "complaints")


def test_by_hand_after_the_step(shop: Workshop) -> None:
    for good in (False, True):
        train(shop, good=good)
        assert promote(shop).code == 0
    assert aliases(shop) == {"champion": "2"}
    assert by_hand(shop, "promote churn 9", "x").startswith("model churn, version 9: ")
    assert "versions are numbers" in by_hand(shop, "promote churn latest", "x")
    assert by_hand(shop, "promote churn", "x").endswith("alias challenger; name a version")
    assert by_hand(shop, "promote churn 1", " ") == "--reason: say in 1 to 500 characters why"
    assert by_hand(shop, "rollback churn", "y") == "churn: version 1 is champion again"


def drift(shop: Workshop, current: str) -> tuple[Ended, dict[str, Any]]:
    shop.server.python(f"{PEOPLE}\n{current}.to_parquet('/mnt/run/current.parquet')")
    ended = shop.step("drift", pipeline="predict")
    told = json.loads(shop.server.sh("cat /mnt/run/.notehive/drift.json || echo '{}'"))
    return ended, told


def test_drift(shop: Workshop) -> None:
    ended, told = drift(shop, "people(300, 8)")
    assert (ended.code, ended.reason) == (0, "drifted: model churn has no champion yet")
    assert told == {"drifted": True, "reason": "model churn has no champion yet"}

    train(shop)
    assert promote(shop).code == 0
    ended, told = drift(shop, "people(300, 9)")
    assert ended.code == 0, ended.log
    assert told["drifted"] is False
    assert {name: each["kind"] for name, each in told["columns"].items()} == {
        "age": "numbers",
        "spent": "numbers",
        "plan": "categories",
    }
    ended, told = drift(shop, "people(300, 10, shift=8).assign(plan='basic')")
    assert ended.reason == "drifted: 2 of 3 columns: age, plan"
    assert told["drifted"] is True
    assert told["columns"]["age"]["psi"] > 0.2 > told["columns"]["spent"]["psi"]
    assert told["columns"]["age"]["p_value"] < 0.001

    run = shop.runs()[-1]
    assert run["tags"]["notehive.drifted"] == "True"
    assert run["tags"]["notehive.step"] == "drift"
    assert run["metrics"]["psi/age"] == pytest.approx(told["columns"]["age"]["psi"])
    assert "data:image/png;base64" in shop.artifact(run["id"], "drift.html")


@pytest.mark.parametrize(
    ("current", "said"),
    [
        ("people(0, 1)", "current.parquet: has 0 rows; at least 50 can be compared"),
        (
            "people(100, 1).drop(columns='age')",
            "current.parquet: has no column age, which version 1 was trained with",
        ),
    ],
)
def test_what_cannot_be_compared_for_drift(shop: Workshop, current: str, said: str) -> None:
    train(shop)
    by_hand(shop, "promote churn 1", "first")
    ended, told = drift(shop, current)
    assert (ended.code, ended.reason, told) == (1, said, {})


def test_data_sets_are_inputs_and_can_be_had_again(shop: Workshop) -> None:
    train(shop)
    train(shop, good=False)
    first, second = (shop.mlflow(f"runs/get?run_id={run['id']}")["run"] for run in shop.runs())
    inputs = {
        used["tags"][0]["value"]: used["dataset"] for used in first["inputs"]["dataset_inputs"]
    }
    assert inputs.keys() == {"train", "test"}
    assert json.loads(inputs["train"]["profile"])["num_rows"] == 600
    again = {used["dataset"]["source"] for used in second["inputs"]["dataset_inputs"]}
    assert again == {dataset["source"] for dataset in inputs.values()}, "kept once"
    run = shop.runs()[0]
    assert run["params"]["people.train.rows"] == "600"
    version = inputs["train"]["digest"]
    assert f"people.train {version}" in run["tags"]["notehive.data_version"]
    assert json.loads(shop.artifact(run["id"], "data/people/scaler.json"))["n_samples_seen_"] == 600

    shop.files["again.ipynb"] = notebook(
        "from notehive.models import data", f"print(len(data.load('people', '{version}')), 'rows')"
    )
    shop.files["model.yml"] = MODEL_YML.replace(b"predict.ipynb", b"again.ipynb")
    ended = shop.step("again", pipeline="predict")
    shop.files["model.yml"] = MODEL_YML
    assert "600 rows" in ended.log.splitlines(), ended.log


PREDICT = """
import mlflow
from notehive.models import predictions
file = f"{run_dir}/predictions.parquet"
model = mlflow.pyfunc.load_model("models:/churn@champion")
new = people(200, 20).drop(columns="churned").assign(customer=range(200))
predictions.keep(file, new, model.predict(new.drop(columns="customer")), "1")
truth = people(150, 20)[["churned"]].assign(customer=range(150))
with mlflow.start_run():
    print(predictions.measure(file, truth, key="customer", target="churned", metric="accuracy"))
kept = pd.read_parquet(file)
print(len(kept), "rows of", sorted(kept["run"].unique()))
"""


def test_predictions_are_kept_and_measured(shop: Workshop) -> None:
    train(shop)
    assert promote(shop).code == 0
    shop.files["predict.ipynb"] = notebook(PEOPLE, PREDICT)
    for _ in range(2):  # the second time as another try, which leaves nothing twice
        ended = shop.step("predict", pipeline="predict")
        assert ended.code == 0, ended.log
        assert "200 rows of ['manual__1']" in ended.log.splitlines()
    ended = shop.step("predict", pipeline="predict", run="manual__2")
    assert "400 rows of ['manual__1', 'manual__2']" in ended.log.splitlines()
    run = shop.runs()[-1]
    assert run["metrics"]["version_1/rows"] == 300
    assert run["metrics"]["version_1/accuracy"] > 0.7
    assert "accuracy_by_version.png" in shop.artifacts(run["id"])
