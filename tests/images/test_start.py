"""What is left out for a quicker start is missed by nobody."""

from .containers import Containers

# As notehive.lab.__main__ begins, up to the point where the server would serve.
LOAD = """
import sys
from notehive.lab.__main__ import leave_out_the_hub
leave_out_the_hub()
import jupyterhub.scopes, jupyterhub.singleuser, jupyterhub.singleuser.extension as extension
assert extension.log_request is sys.modules["jupyter_server.log"].log_request
assert jupyterhub.singleuser.main == extension.JupyterHubSingleUser.launch_instance
absent = {"alembic", "jupyterhub.handlers", "jupyterhub.orm", "rfc3987_syntax"}
print(*sorted(absent & set(sys.modules)))
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
"""


def test_the_hub_is_left_out(image: str, containers: Containers) -> None:
    assert containers.idle(image).python(LOAD) == ""


def test_schemas_are_checked_as_before(image: str, containers: Containers) -> None:
    printed = containers.idle(image).python(SCHEMAS)
    assert printed.split() == ["notebooks", "events"]


def test_what_was_left_out_comes_when_it_is_used(base: str, containers: Containers) -> None:
    container = containers.idle(base)
    table = "jupyterhub.scopes.orm.User.__tablename__"
    assert container.python(f"{LOAD}\nprint({table})").splitlines()[-1] == "users"
    # What a server asks: has this token the right to use it?
    check = (
        "_intersect_expanded_scopes({'access:servers!user=ada'}, {'access:servers!server=ada/'})"
    )
    printed = container.python(f"{LOAD}\nprint(*jupyterhub.scopes.{check})")
    assert printed.splitlines()[-1] == "access:servers!server=ada/"
