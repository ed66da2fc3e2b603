"""One spelling for each user's name, whatever vouches for the user."""

from typing import Any

from jupyterhub.auth import Authenticator

from notehive.usernames import check_user_name, group_of_job, normalize_user_name


class Names(Authenticator):
    """What all our authenticators say of names. Base of each of them."""

    def normalize_username(self, username: str) -> str:
        """Give the one spelling under which a user is known."""
        return normalize_user_name(username)

    def add_user(self, user: Any) -> Any:
        """Learn of a user whom the hub has; jobs are none whom anybody vouches for."""
        return None if group_of_job(user.name) else super().add_user(user)

    def validate_username(self, username: str) -> bool:
        """Say whether a user can have this name, in its normal spelling."""
        try:
            return check_user_name(username) == username
        except ValueError:
            return False
