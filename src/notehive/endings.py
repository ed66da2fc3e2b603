"""Exit codes of a user's server that say why it ended, to the hub and to what starts it."""

NO_WALL = 87  # `walled` found no walls around the container, and did not start the server
OUT_OF_MEMORY = 86  # the server itself was killed because its container reached its memory limit
