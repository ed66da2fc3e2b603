"""The guard's no."""


class RefusedError(Exception):
    """A client may not do this; the message says why in one sentence."""


class MalformedError(RefusedError):
    """A request that two readers could understand in two ways, or none at all."""
