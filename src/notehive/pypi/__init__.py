"""The package index at /pypi/: groups' own packages, and what the upstream index had, kept."""
