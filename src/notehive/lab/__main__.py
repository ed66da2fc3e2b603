"""Starts the server of a user of the hub, as `python3 -m jupyterhub.singleuser` would.

Without what such a server loads of the hub's own code and never uses, it takes half the CPU time.
"""

import sys

from notehive.lab import garbage
from notehive.lab.later import loaded_later


def leave_out_the_hub() -> None:
    """Import what a user's server needs of JupyterHub, without the hub's handlers and database.

    From ``jupyterhub.scopes`` it takes functions that use no database. From ``jupyterhub.log``
    it takes ``log_request``, and Jupyter Server's own does the same.
    """
    with loaded_later("jupyterhub.orm", "jupyterhub.roles"):
        import jupyterhub.scopes  # noqa: F401
    import jupyter_server.log

    sys.modules.setdefault("jupyterhub.log", jupyter_server.log)


def main() -> None:
    """Start the server with the arguments of the command line; serve until it is stopped."""
    garbage.put_off()
    leave_out_the_hub()
    from jupyterhub.singleuser import main as serve

    serve()


if __name__ == "__main__":
    main()
