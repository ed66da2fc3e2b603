"""Looking for garbage: put off while the server starts.

Garbage is next to none while modules load, and looking for it would be a sixth of the start.
"""

import gc

_USUAL = gc.get_threshold()
_RARELY = (1_000_000, 50, 1000)  # should nobody resume, garbage is still found


def put_off() -> None:
    """Look for garbage rarely from now on."""
    gc.set_threshold(*_RARELY)


def resume() -> None:
    """Look for garbage as usual, but not among all that is there by now: it stays."""
    gc.freeze()
    gc.set_threshold(*_USUAL)
