"""Starts the server of a user of the hub, as `python3 -m jupyterhub.singleuser` would.

Without what such a server loads of the hub's own code and never uses, it takes half the CPU time.
"""

import sys

from notehive.lab import garbage


def leave_out_the_hub() -> None:
    """Put jupyter_server.log in the place of jupyterhub.log, which would load the whole hub.

    A user's server takes nothing but ``log_request`` from there, and Jupyter Server's does the
    same. With the hub's would come its handlers, its database, SQLAlchemy and Alembic.
    """
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
