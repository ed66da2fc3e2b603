"""Exit codes of a user's server that say why it ended, to the hub and to `start-notebook`."""

OUT_OF_MEMORY = 86  # the server itself was killed because its container reached its memory limit
