"""The builder: a commit of a group's repository becomes an image, and goes to the registry.

It alone has an engine's socket for that and the registry's credential. Nothing of a project runs
with either: what has to be fetched is fetched in a container without a network, whose one way out
is a `door` to the package mirrors, and build steps have no way out at all.
"""

from collections.abc import Callable

Say = Callable[[str], None]  # takes a line of the log; from any thread
# After trouble that is not the project's. Git does not push once more what it has pushed.
AGAIN = "`notehive model release` tries once more"

PORT = 8092
TOKEN = "/run/secrets/builder-token"  # noqa: S105 - where it is
