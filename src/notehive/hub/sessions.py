"""Where a user is logged in."""

from typing import Any

from jupyterhub import orm


def end_sessions(db: Any, user: Any, keep: str | None = None) -> None:
    """Log a user out everywhere, but for the browser session whose id is ``keep``.

    Pages of the hub ask for a login at once. A notebook server keeps what the hub told it
    for some minutes. Running servers and the tokens that the user has made by hand stay:
    they are listed, and can be revoked, on the page Token.
    """
    user.cookie_id = orm.new_token()
    for token in list(user.api_tokens):
        if token.session_id is not None and token.session_id != keep:
            db.delete(token)
    for code in list(user.oauth_codes):
        db.delete(code)
    db.commit()
