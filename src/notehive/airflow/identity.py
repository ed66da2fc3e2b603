"""The user of a request, in the form in which Airflow knows users."""

from contextvars import ContextVar

from notehive.gate.asker import Asker


class Identity(Asker):
    """Who asks, by the gate's word."""

    def get_id(self) -> str:
        """Give the name by which Airflow knows the user."""
        return self.user

    def get_name(self) -> str:
        """Give the name that Airflow shows, and keeps with what the user does."""
        return self.user


# Set for each request, before Airflow's own code runs, in whichever thread it does.
CURRENT: ContextVar[Identity] = ContextVar("identity")
