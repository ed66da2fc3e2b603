"""/hub/api/storage: what a user's home holds, for the user's own server to show."""

import json

from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from tornado.web import HTTPError

from notehive import naming
from notehive.hub import keeper
from notehive.hub.rights import groups_of
from notehive.settings import home_quota


class StorageHandler(APIHandler):
    """The home of whoever asks."""

    async def get(self) -> None:
        """Bytes in the home when it was last measured, and its quota, 0 for none."""
        user = self.current_user
        if user is None or isinstance(user, orm.Service):
            raise HTTPError(403, "Only users have a home.")
        try:
            used = await keeper.used(naming.home(user.name))
        except keeper.KeeperError as error:
            raise HTTPError(503, str(error)) from None
        config = user.spawner.platform
        quota = home_quota(config.storage.quota, config.groups, groups_of(user))
        self.write(json.dumps({"used": used, "quota": quota}))


storage_handlers = [(r"/api/storage", StorageHandler)]
