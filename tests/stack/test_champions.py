"""Champions chosen by hand, in a server: by those whom MLflow lets change the model."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.support.hub import User, user
from tests.support.owner import Owner
from tests.support.site import Site, fetch

NAME = f"champ-{uuid4().hex[:8]}"


def register(site: Site, one: User, group: str) -> None:
    """Register two versions of the model, both of one run."""

    def ask(call: str, **body: str) -> Any:
        headers = {"Authorization": f"Bearer {one.token}", "X-MLFLOW-WORKSPACE": group}
        answer = fetch(
            site,
            f"/mlflow/api/2.0/mlflow/{call}",
            method="POST",
            headers={**headers, "Content-Type": "application/json"},
            body=json.dumps(body).encode(),
        )
        assert answer.status == 200, answer
        return json.loads(answer.body)

    experiment = ask("experiments/create", name=NAME)["experiment_id"]
    run = ask("runs/create", experiment_id=experiment)["run"]["info"]
    ask("registered-models/create", name=NAME)
    for _ in range(2):
        source = f"{run['artifact_uri']}/model"
        ask("model-versions/create", name=NAME, source=source, run_id=run["run_id"])


@pytest.fixture(scope="module")
def kate(site: Site) -> Iterator[Owner]:
    """A member of `lab` with a server; her group and `guild`, which everybody sees, have models."""
    with (
        user(site, "kate", "--group", "lab") as kate,
        user(site, "otto", "--group", "guild") as otto,
    ):
        register(site, kate, "lab")
        register(site, otto, "guild")
        kate.start(image="base", size="small")
        yield Owner(site, kate)


def test_members_choose(kate: Owner) -> None:
    said = kate.does(f"notehive model promote lab/{NAME} 1 --reason 'the only good one'")
    assert said == f"lab/{NAME}: version 1 is champion\n"
    # Without a group it is that of the server.
    kate.does(f"notehive model promote {NAME} 2 --reason better")
    assert kate.does(f"notehive model rollback {NAME} --reason 'not better'") == (
        f"{NAME}: version 1 is champion again\n"
    )
    lines = kate.does(f"notehive model champions lab/{NAME}").splitlines()
    assert [line.split("  ", 1)[1] for line in lines] == [
        "version 1 rolled back after 2  kate: not better",
        "version 2 promoted after 1  kate: better",
        "version 1 promoted  kate: the only good one",
    ]


def test_others_do_not(kate: Owner) -> None:
    code, said = kate.shell(f"notehive model promote guild/{NAME} 1 --reason mine")
    assert (code, "MLflow refuses it" in said) == (1, True), said
    assert kate.does(f"notehive model champions guild/{NAME}") == ""
    code, said = kate.shell(f"notehive model champions secret/{NAME}")
    assert (code, "the workspace secret is not open to you" in said) == (1, True), said
    code, said = kate.shell("notehive model rollback lab/none --reason x")
    assert (code, "there is no such model, or it is not of a group of yours" in said) == (1, True)
