"""Errors of a start that its user reads."""

from tornado.web import HTTPError


def refusal(status: int, message: str) -> HTTPError:
    """An error whose message reaches programs by the REST API and people by the hub's pages."""
    error = HTTPError(status, message)
    error.jupyterhub_message = message
    return error
