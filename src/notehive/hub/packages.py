"""Where pip and uv in a server or a job find packages."""

from notehive.hub.config import HubConfig


def server_env(config: HubConfig) -> dict[str, str]:
    """Give the variables of a container of ours that say so.

    With the site's own index its `docker-entrypoint` writes the configuration of pip and uv, with
    the token that the container has.
    """
    if config.services.pypi:
        return {"NOTEHIVE_PACKAGE_INDEX": f"{config.url}/pypi/simple/"}
    return {"PIP_INDEX_URL": config.pip_index_url} if config.pip_index_url else {}
