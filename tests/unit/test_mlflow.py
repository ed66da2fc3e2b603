"""Which requests reach MLflow, and whom it takes for the one who asks."""

import pytest

from notehive.mlflow.identity import Identity, identify
from notehive.mlflow.page import page
from notehive.mlflow.routes import is_open

KEY = "k" * 64
TOLD = {"x-notehive-key": KEY, "x-notehive-user": "ana"}
FILES = "/api/2.0/mlflow-artifacts/artifacts"


def test_who_asks() -> None:
    told = {
        **TOLD,
        "x-notehive-admin": "",
        "x-notehive-edits": "everyone,red",
        "x-notehive-reads": "blue",
    }
    ana = Identity("ana", False, frozenset({"default", "red"}), frozenset({"blue"}))
    assert identify(told, KEY) == ana
    assert [w for w in ("default", "red", "blue", "grey", "", "everyone") if ana.sees(w)] == [
        *("default", "red", "blue")
    ]
    boss = identify({**TOLD, "x-notehive-admin": "yes"}, KEY)
    assert boss is not None and boss.admin and boss.sees("grey")


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"x-notehive-user": "ana"},
        {**TOLD, "x-notehive-key": ""},
        {**TOLD, "x-notehive-key": KEY[:-1]},
        {**TOLD, "x-notehive-key": "ü" * 64},
        {**TOLD, "x-notehive-user": ""},
        {"X-Notehive-Key": KEY, "X-Notehive-User": "ana"},  # servers give names in lower case
    ],
)
def test_nobody(told: dict[str, str]) -> None:
    assert identify(told, KEY) is None


def test_a_user_without_groups_sees_nothing_else() -> None:
    nora = identify(TOLD, KEY)
    assert nora is not None and not any(map(nora.sees, ("default", "red", "")))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("HEAD", "/version"),
        ("GET", "/static-files/static/js/main.js"),
        ("POST", "/graphql"),
        ("GET", "/api/2.0/mlflow/experiments/get-by-name"),
        ("POST", "/ajax-api/2.0/mlflow/experiments/search"),
        ("POST", "/api/2.0/mlflow/runs/log-batch"),
        ("DELETE", "/api/2.0/mlflow/registered-models/alias"),
        ("PATCH", "/api/2.0/mlflow/model-versions/update"),
        ("PATCH", "/api/2.0/mlflow/logged-models/m-1/tags"),
        ("POST", "/api/3.0/mlflow/traces/search"),
        ("GET", "/api/3.0/mlflow/datasets/d-1/records"),
        ("GET", "/api/3.0/mlflow/workspaces/red"),
        ("GET", "/ajax-api/2.0/mlflow/users/current"),
        ("PUT", f"{FILES}/1/r/artifacts/model/MLmodel"),
        ("GET", f"{FILES}/workspaces/red/12/r/artifacts/100%.png"),
        ("DELETE", f"{FILES}/1/r/artifacts/x"),
    ],
)
def test_open(method: str, path: str) -> None:
    assert is_open(method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("OPTIONS", "/"),
        ("POST", "/"),
        ("GET", ""),
        ("GET", "//"),
        ("GET", "/signup"),
        ("PROPFIND", "/graphql"),
        ("HEAD", "/get-artifact"),
        ("GET", "/GET-ARTIFACT"),
        ("GET", "/get-artifact/"),
        ("GET", "/get-artifact\n"),
        ("GET", "/mlflow/get-artifact"),
        ("PUT", "/api/2.0/mlflow/runs/update"),
        ("GET", "/api/4.0/mlflow/runs/get"),
        ("GET", "/api/2.0/mlflow/runs//get"),
        ("GET", "/api/2.0/mlflow/./runs/get"),
        ("GET", "/api/2.0/mlflow/users/list"),
        ("GET", "/api/2.0/mlflow/users/get"),
        ("POST", "/api/2.0/mlflow/users/create"),
        ("PATCH", "/api/2.0/mlflow/users/update-password"),
        ("POST", "/api/3.0/mlflow/roles/create"),
        ("POST", "/api/3.0/mlflow/workspaces"),
        ("DELETE", "/api/3.0/mlflow/workspaces/red"),
        ("POST", "/api/2.0/mlflow/webhooks"),
        ("POST", "/ajax-api/2.0/mlflow/webhooks/1/test"),
        ("POST", "/ajax-api/2.0/mlflow/gateway-proxy"),
        ("POST", "/gateway/proxy/x/y"),
        ("POST", "/api/3.0/mlflow/gateway/secrets/create"),
        ("GET", "/ajax-api/3.0/jobs/1"),
        ("POST", "/ajax-api/3.0/jobs/"),
        ("GET", "/ajax-api/3.0/mlflow/jobs/1"),
        ("POST", "/ajax-api/3.0/mlflow/issues/invoke"),
        ("POST", "/ajax-api/3.0/mlflow/genai/evaluate/invoke"),
        ("POST", "/ajax-api/3.0/mlflow/scorer/invoke"),
        ("POST", "/ajax-api/3.0/mlflow/assistant/message"),
        ("POST", "/api/3.0/mlflow/mcp-servers"),
        ("POST", "/ajax-api/3.0/mlflow/demo/generate"),
        ("POST", "/ajax-api/2.0/mlflow/upload-artifact"),
        ("GET", f"{FILES}/"),
        ("GET", f"{FILES}/etc/passwd"),
        ("GET", f"{FILES}/1"),
        ("DELETE", f"{FILES}/1"),
        ("DELETE", f"{FILES}/workspaces/red"),
        ("DELETE", f"{FILES}/."),
        ("GET", f"{FILES}/1/../2/x"),
        ("GET", f"{FILES}/1/..%2f..%2f2/x"),
        ("GET", f"{FILES}/1/%2e%2e/x"),
        ("GET", f"{FILES}/1/..\\2\\x"),
        ("GET", f"{FILES}/1/a\x00b"),
        ("POST", "/api/2.0/mlflow-artifacts/mpu/create/1/x"),
    ],
)
def test_closed(method: str, path: str) -> None:
    assert not is_open(method, path)


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("path=1%2Fr%2Fartifacts", True),
        ("path=workspaces/red/1/r", True),
        ("path=1", True),
        ("", False),
        ("path=", False),
        ("path=workspaces", False),
        ("path=workspaces/red", False),
        ("path=..", False),
        ("path=1/%2e%2e/2", False),
        ("path=1/%252e%252e/2", False),
        ("path=1/..%5C2", False),
        ("path=1&path=../2", False),
    ],
)
def test_lists_of_files(query: str, allowed: bool) -> None:
    assert is_open("GET", FILES, query) is allowed


def test_the_page_takes_a_link_without_a_workspace_for_the_default_one(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("static")
    (folder / "index.html").write_text("<html><head><title>x</title></head></html>")
    html = page(str(folder)).decode()
    assert html.startswith("<html><head><script>")
    assert html.endswith("</script><title>x</title></head></html>")
    (folder / "index.html").write_text("<html>")
    with pytest.raises(RuntimeError, match="has no <head>"):
        page(str(folder))
