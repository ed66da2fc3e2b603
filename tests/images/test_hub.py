"""What a hub hands to a server reaches it, and nobody else."""

from .containers import Containers, until

TOKEN = "a-token-of-ada"
# Answers as a hub does to a server that starts, and prints who asked for what.
HUB = """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Hub(BaseHTTPRequestHandler):
    def do_GET(self):
        print(self.path, self.headers.get("Authorization"), flush=True)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")
    do_POST = do_GET
HTTPServer(("127.0.0.1", 8081), Hub).serve_forever()
"""
ENVIRONMENT = {
    "JUPYTERHUB_ACTIVITY_URL": "http://127.0.0.1:8081/hub/api/users/ada/activity",
    "JUPYTERHUB_API_URL": "http://127.0.0.1:8081/hub/api",
    "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-ada",
    "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:servers!server=ada/"]',
    "JUPYTERHUB_OAUTH_CALLBACK_URL": "/user/ada/oauth_callback",
    "JUPYTERHUB_SERVICE_PREFIX": "/user/ada/",
    "JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:8888/user/ada/",
    "JUPYTERHUB_USER": "ada",
    "MLFLOW_TRACKING_URI": "http://localhost/mlflow",
}


def test_server_of_a_hub(image: str, containers: Containers) -> None:
    hub = containers.run(image, "python3", "-c", HUB)
    variables = [f"--env={name}={value}" for name, value in ENVIRONMENT.items()]
    server = containers.create(image, options=(f"--network=container:{hub.id}", *variables))
    server.write("/run/secrets/jupyterhub-token", f"{TOKEN}\n".encode())
    server.start()

    activity = f"/hub/api/users/ada/activity token {TOKEN}"
    until(lambda: activity in hub.logs(), "the server reports to the hub with its token")
    until(lambda: server.get("/user/ada/api")[0] == 200, "the server answers")
    status, _ = server.get("/user/ada/lab")
    assert status == 302, "no page without a login at the hub"

    process = server.sh("pgrep --full 'python3.*notehive[.]lab'")
    lines = server.sh(f"tr '\\0' '\\n' < /proc/{process}/environ").splitlines()
    for name in ("JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN", "MLFLOW_TRACKING_TOKEN"):
        assert f"{name}={TOKEN}" in lines
    assert "USER=ada" in lines
    assert TOKEN not in server.inspect()
    assert TOKEN not in server.logs()


def test_token_for_any_command(image: str, containers: Containers) -> None:
    job = containers.create(image, "sh", "-c", "test $JUPYTERHUB_API_TOKEN = a-token-of-ada && env")
    job.write("/run/secrets/jupyterhub-token", TOKEN.encode())
    job.start()
    until(lambda: not job.running(), "the command ends")
    assert f"JUPYTERHUB_API_TOKEN={TOKEN}" in job.logs()
    assert "MLFLOW_TRACKING_TOKEN" not in job.logs(), "there is no MLflow that it would be for"


def test_pip_and_uv_have_the_token_for_the_index(image: str, containers: Containers) -> None:
    place = "notehive.localhost:8080/pypi/simple/"
    variable = f"--env=NOTEHIVE_PACKAGE_INDEX=http://{place}"
    server = containers.create(image, "sleep", "infinity", options=(variable,))
    server.write("/run/secrets/jupyterhub-token", TOKEN.encode())
    server.start()
    index = f"http://__token__:{TOKEN}@{place}"
    until(lambda: f"global.index-url='{index}'" in server.sh("pip config list"), "pip has it")
    assert "global.trusted-host='notehive.localhost:8080'" in server.sh("pip config list")
    assert f'url = "{index}"' in server.sh("cat /etc/uv/uv.toml")
    assert server.sh("stat -Lc %a /etc/pip.conf /etc/uv/uv.toml").split() == ["600", "600"]
    # The user's own goes before it.
    own = server.sh("pip config set global.index-url http://x/ && pip config list").splitlines()
    assert "global.index-url='http://x/'" in own


def test_without_an_index_of_the_site_there_is_no_configuration(
    image: str, containers: Containers
) -> None:
    job = containers.idle(image)
    assert "index" not in job.sh("docker-entrypoint pip config list")
    assert "jupyterlab" in job.sh("docker-entrypoint uv pip list"), "nor a link that uv stumbles on"
