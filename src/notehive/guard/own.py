"""What the operator's own configuration of JupyterHub may give to servers, by settings.yml.

A name may end in ``*``, which stands for the rest of it. Of directories, that is one level: what
is deeper could be a link that a server has made, to anywhere on the node.
"""

from collections.abc import Sequence

from notehive.guard.container import Mount
from notehive.settings import WRITABLE, OwnConfig


def names_mount(own: OwnConfig, mount: Mount) -> bool:
    """Say whether the source of a mount is named, a directory as such, and for this use."""
    source = mount.Source or ""
    if (
        mount.VolumeOptions
        or mount.TmpfsOptions
        or source.startswith("/") != (mount.Type == "bind")
    ):
        return False
    return any(
        _is(pattern.removesuffix(WRITABLE), source)
        for pattern in own.mounts
        if mount.ReadOnly or pattern.endswith(WRITABLE)
    )


def names(patterns: Sequence[str], name: str) -> bool:
    """Say whether a secret or a network is named."""
    return any(_is(pattern, name) for pattern in patterns)


def _is(pattern: str, name: str) -> bool:
    if not pattern.endswith("*"):
        return name == pattern
    beginning = pattern[:-1]
    rest = name[len(beginning) :]
    return name.startswith(beginning) and rest not in ("", ".", "..") and "/" not in rest
