"""What is left out for a quicker start is missed by nobody."""

import pytest

from .containers import Containers

# As notehive.lab.__main__ begins, up to the point where the server would serve.
LOAD = """
import sys
from notehive.lab.__main__ import LATER, leave_out
leave_out()
import jupyterhub.scopes, jupyterhub.singleuser, jupyterhub.singleuser.extension as extension
import jupyterlab.labapp, jupyterlab_git.handlers, nbdime.webapp.nb_server_extension
assert extension.log_request is sys.modules["jupyter_server.log"].log_request
assert jupyterhub.singleuser.main == extension.JupyterHubSingleUser.launch_instance
absent = {"alembic", "httpx", "jupyterhub.handlers", "rfc3987_syntax"}
absent |= {name.split(":")[0] for name in LATER}
print(*sorted(absent & set(sys.modules)))
"""
CONNECTS = """
import zmq
from jupyter_server.serverapp import ServerApp
app = ServerApp()
app.initialize(["--no-browser"], find_extensions=True)
print(app.kernel_manager.context.socket(zmq.SUB).getsockopt(zmq.RECONNECT_IVL))
"""
# All that Jupyter has schemas for is checked with them as before. Only the formats of addresses
# in JSON schemas, "iri" and "iri-reference", are not checked, and none of the schemas has one.
SCHEMAS = """
import json, pathlib, sysconfig
import jsonschema, nbformat
from jupyter_events.schema_registry import SchemaRegistry

def formats(node):
    if isinstance(node, dict):
        yield from [node["format"]] if isinstance(node.get("format"), str) else []
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from formats(each)

found = set()
folder = pathlib.Path(sysconfig.get_path("purelib"))
for name in ("jupyter_events", "jupyter_server", "jupyterlab", "jupyterlab_server", "nbformat"):
    for path in (folder / name).rglob("*.json"):
        found.update(formats(json.loads(path.read_text())))
assert not {format for format in found if format.startswith("iri")}, found

notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
nbformat.validate(notebook)
notebook.cells[0].cell_type = "nonsense"
try:
    nbformat.validate(notebook)
except nbformat.ValidationError:
    print("notebooks")

registry = SchemaRegistry()
schema = registry.register({
    "$id": "http://example.com/event", "version": "1", "title": "Event", "type": "object",
    "personal-data": True, "properties": {"at": {"title": "At", "type": "string",
    "format": "date-time"}},
})
schema.validate({"at": "2026-11-21T00:00:00Z"})
try:
    schema.validate({"at": "no time"})
except jsonschema.ValidationError:
    print("events")

check = jsonschema.Draft202012Validator.FORMAT_CHECKER
good = {"uri": "http://example.com/", "uri-reference": "../a", "duration": "P1DT2H"}
bad = {"uri": "no address", "uri-reference": "\\\\a", "duration": "a while"}
assert all(check.conforms(value, format) for format, value in good.items())
assert not any(check.conforms(value, format) for format, value in bad.items())
assert not jsonschema.Draft3Validator.FORMAT_CHECKER.conforms("no colour", "color")
print("formats")
"""
# As the first cell of a notebook sees it; the folder of the notebook has a module of a user's.
KERNEL = """
import pathlib
from jupyter_client.manager import start_new_kernel
pathlib.Path("traitlets.py").write_text("raise SystemExit('of the user')")
pathlib.Path("mine.py").write_text("answer = 42")
manager, client = start_new_kernel()
def run(code):
    found = []
    reply = client.execute_interactive(
        code, timeout=60, store_history=True,
        output_hook=lambda message: found.append(message["content"]))
    assert reply["content"]["status"] == "ok", reply
    return "".join(each.get("text", "") for each in found)
print(run("import gc, sys; print(gc.isenabled(), gc.get_threshold(), gc.get_freeze_count() > 999)"))
print(run("import mine; print(mine.answer, '' in sys.path)"))
print(run("%history"))
client.complete("impo", reply=True, timeout=60)["content"]["matches"].index("import")
def debug(command, **arguments):
    message = client.session.msg("debug_request", {
        "type": "request", "seq": 1, "command": command, "arguments": arguments})
    client.control_channel.send(message)
    return client.get_control_msg(timeout=60)["content"]
assert debug("debugInfo")["success"]
assert debug("initialize", clientID="a", adapterID="")["success"]
client.stop_channels()
manager.shutdown_kernel(now=True)
"""


def test_the_hub_is_left_out(image: str, containers: Containers) -> None:
    assert containers.idle(image).python(LOAD) == ""


@pytest.mark.parametrize("begun", ["", LOAD], ids=["elsewhere", "in a server"])
def test_schemas_are_checked_as_before(image: str, begun: str, containers: Containers) -> None:
    printed = containers.idle(image).python(begun + SCHEMAS)
    assert printed.split() == ["notebooks", "events", "formats"]


def test_what_was_left_out_comes_when_it_is_used(base: str, containers: Containers) -> None:
    container = containers.idle(base)
    table = "jupyterhub.scopes.orm.User.__tablename__"
    assert container.python(f"{LOAD}\nprint({table})").splitlines()[-1] == "users"
    # Of Lab: who chooses its manager of extensions has it, and lists of extensions are fetched.
    manager = "jupyterlab.extensions.get_pypi_manager().metadata.name"
    assert container.python(f"{LOAD}\nprint({manager})").splitlines()[-1] == "PyPI"
    fetched = "sys.modules['jupyterlab_server.listings_handler'].requests.get.__module__"
    assert container.python(f"{LOAD}\nprint({fetched})").splitlines()[-1] == "requests.api"
    # What a server asks: has this token the right to use it?
    check = (
        "_intersect_expanded_scopes({'access:servers!user=ada'}, {'access:servers!server=ada/'})"
    )
    printed = container.python(f"{LOAD}\nprint(*jupyterhub.scopes.{check})")
    assert printed.splitlines()[-1] == "access:servers!server=ada/"


def test_a_kernel_that_gets_ready_is_heard(image: str, containers: Containers) -> None:
    """Or every other first cell would wait for half a second."""
    assert containers.idle(image).python(CONNECTS).split()[-1] == "10"


def test_a_kernel_is_a_whole_one(image: str, containers: Containers) -> None:
    """Completion, history, debugger and the user's modules; garbage is collected as usual."""
    container = containers.idle(image)
    usual = container.python("import gc; print(gc.get_threshold())")
    printed = container.python(KERNEL)
    assert f"True {usual} True" in printed
    assert "42 True" in printed
    assert "import mine" in printed
    assert "notehive.lab.kernel" in container.sh("jupyter kernelspec list --json")
