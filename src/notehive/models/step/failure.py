"""How a step ends, if not well. The text is the last line of its log."""


class Failed(Exception):  # noqa: N818 - reads better where it is raised
    """The step failed, for this reason."""


class Stopped(KeyboardInterrupt):
    """The step was told to end. asyncio lets nothing else pass but a KeyboardInterrupt."""
