"""The looks of the hub's pages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nativeauthenticator.orm import UserInfo

from notehive.hub.choosing import held_by
from notehive.hub.config import HubConfig
from notehive.hub.holdings import summary
from notehive.hub.providers import title
from notehive.hub.released import offered
from notehive.hub.rights import rights_of

TEMPLATES = Path("/opt/notehive/hub/templates")


def update_pages(c: Any, config: HubConfig, templates: Path = TEMPLATES) -> None:
    """Use our templates, which extend JupyterHub's own, and tell them what is switched on."""

    def used_by(reader: Any) -> Callable[[Any], str]:
        """Give what tells the reader of a page how much of the limits a user holds."""

        def used(owner: Any) -> str:
            who = "You hold" if owner.name == reader.name else f"{owner.name} holds"
            return summary(rights_of(config, owner).limits, held_by(owner), who)

        return used

    def image_title(reader: Any) -> Callable[[str], str]:
        """Give what tells what people call an image; its key if it is gone."""
        images = offered(config).images
        return lambda key: (images[key].title if key in images else "") or key

    server = config.auth.server
    c.JupyterHub.template_paths = [str(templates)]
    # After a logout, the browser's back button must not show what is kept of a page.
    c.JupyterHub.tornado_settings.update({"headers": {"Cache-Control": "no-store"}})
    c.JupyterHub.template_vars = {
        "stack": config.stack,
        "git": config.services.git,
        "jenkins": config.services.has_jenkins,
        "mlflow": config.services.mlflow,
        "airflow": config.services.airflow,
        "prometheus": config.services.prometheus,
        "size_titles": {key: size.title or key for key, size in config.sizes.items()},
        "sign_up": config.auth.takes_sign_ups,
        "own_passwords": server is None,
        "login_title": title(server) if server else "",
        # A function, called by JupyterHub with the user who reads the page, for each page.
        "pending_sign_ups": nobody if server else pending_sign_ups,
        "image_title": image_title,
        "used_by": used_by,
    }


def nobody(user: Any) -> int:
    """Count those who wait for approval where nobody signs up."""
    return 0


def pending_sign_ups(user: Any) -> int:
    """Count those who wait for approval, for the menu of administrators; 0 for others."""
    if user is None or not getattr(user, "admin", False):
        return 0
    query = user.db.query(UserInfo).filter(UserInfo.is_authorized.is_not(True))
    return int(query.count())
