"""Errors that an operator sees: one line, which names the place and the remedy."""


class NotehiveError(Exception):
    """Something failed. The command ends with exit code 1."""

    exit_code = 1


class BadInput(NotehiveError):  # noqa: N818 - reads better where it is raised
    """What the operator gave cannot work. The command ends with exit code 2, nothing changed."""

    exit_code = 2
