"""Options of git for one run of it, beside its files."""

from collections.abc import Mapping


def configured(values: Mapping[str, int | str]) -> dict[str, str]:
    """Give the variables that configure git beside its files."""
    told = {"GIT_CONFIG_COUNT": str(len(values))}
    for number, (key, value) in enumerate(values.items()):
        told |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": str(value)}
    return told
