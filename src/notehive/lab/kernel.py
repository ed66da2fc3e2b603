"""Starts a kernel of IPython, as `python3 -m ipykernel_launcher` would, with less CPU time.

Everything that is there before the user's first line is left alone by the garbage collector.
"""

import sys
from pathlib import Path

from notehive.lab import garbage


def main() -> None:
    """Start the kernel with the arguments of the command line; serve until it is stopped."""
    # Not from the folder of the notebook; IPython adds it once all is loaded.
    if sys.path[0] == "" or Path(sys.path[0]) == Path.cwd():
        del sys.path[0]
    garbage.put_off()
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    app.initialize()
    garbage.resume()
    app.start()


if __name__ == "__main__":
    main()
