"""One spelling for each user's name, whatever vouches for the user."""

from jupyterhub.auth import Authenticator

from notehive.usernames import check_user_name, normalize_user_name


class Names(Authenticator):
    """What all our authenticators say of names. Base of each of them."""

    def normalize_username(self, username: str) -> str:
        """Give the one spelling under which a user is known."""
        return normalize_user_name(username)

    def validate_username(self, username: str) -> bool:
        """Say whether a user can have this name, in its normal spelling."""
        try:
            return check_user_name(username) == username
        except ValueError:
            return False
