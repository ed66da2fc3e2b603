"""Starts the server of a user of the hub, as `python3 -m jupyterhub.singleuser` would.

Without what such a server loads and never uses, it takes less than half the CPU time.
"""

import sys
from contextlib import suppress
from importlib import import_module

from notehive.lab import garbage, hub, skeleton
from notehive.lab.later import loaded_later

# What is imported at the start and used by few servers or none, and who uses it.
LATER = (
    "aiohttp",  # JupyterHub, to ask; `notehive.lab.hub` does
    "arrow",  # the check of durations in JSON schemas
    "jupyterhub.orm",  # JupyterHub's database
    "jupyterhub.roles",
    "jupyterlab.extensions.pypi:PyPIExtensionManager",  # Lab, to install its extensions
    "requests",  # Lab, with lists of allowed extensions; nbdime, to compare what is on the web
    "rfc3986_validator:validate_rfc3986",  # the check of addresses in JSON schemas
    "sqlalchemy",
    "sqlalchemy.exc:SQLAlchemyError",  # in a decorator of the hub's own handlers
    "webcolors",  # the check of colours in JSON schemas
    "websocket",  # kernels of a gateway
)
# Those who import it. A site's own image may have removed the last.
IMPORTERS = ("jupyterhub.singleuser.extension", "jupyterlab.labapp", "nbdime.webapp.nbdimeserver")


def leave_out() -> None:
    """Import what a user's server needs, without what it does not use.

    From ``jupyterhub.scopes`` it takes functions that use no database. From ``jupyterhub.log``
    it takes ``log_request``, and Jupyter Server's own does the same.
    """
    sys.modules["jupyterhub.httpclient"] = hub
    with loaded_later(*LATER):
        sys.modules["jupyterhub.log"] = import_module("jupyter_server.log")
        for name in IMPORTERS:
            with suppress(ModuleNotFoundError):
                import_module(name)


def main() -> None:
    """Start the server with the arguments of the command line; serve until it is stopped."""
    garbage.put_off()
    skeleton.give()
    leave_out()
    from jupyterhub.singleuser import main as serve

    serve()


if __name__ == "__main__":
    main()
