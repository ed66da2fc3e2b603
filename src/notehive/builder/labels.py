"""Labels of what the builder makes, by which it knows it again."""

from datetime import UTC, datetime

from notehive.builder.wanted import Wanted

STACK = "notehive.stack"  # of a container, that `down` waits for its end
BUILDER = "notehive.builder"  # the stack, of what is made
KIND = "notehive.kind"
MODEL, DEPENDENCIES = "model-image", "dependencies-image"
GATHERING, CHECKING = "gathering", "checking"  # what containers do
SMOKE = "smoke"  # what services do
DEPENDENCIES_KEY = "notehive.dependencies"
NOTEBOOK_IMAGE = "notehive.image"  # its key in settings.yml
GROUP, NAME, COMMIT = "notehive.group", "notehive.model", "notehive.commit"
# From the Open Container Initiative's list of names.
BASE_NAME = "org.opencontainers.image.base.name"
BASE_DIGEST = "org.opencontainers.image.base.digest"
CREATED = "org.opencontainers.image.created"
REVISION = "org.opencontainers.image.revision"


def of_model(
    stack: str, wanted: Wanted, key: str, base: tuple[str, str], dependencies: str
) -> dict[str, str]:
    """Give those of a model's image; ``base`` is its notebook image's name and id."""
    return {
        BUILDER: stack,
        KIND: MODEL,
        GROUP: wanted.group,
        NAME: wanted.name,
        COMMIT: wanted.commit,
        NOTEBOOK_IMAGE: key,
        DEPENDENCIES_KEY: dependencies,
        BASE_NAME: base[0],
        BASE_DIGEST: base[1],
        CREATED: datetime.now(UTC).isoformat(timespec="seconds"),
        REVISION: wanted.commit,
    }
