"""Published releases, written as the stage `publish` writes them."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.support.site import Site

DIGEST = f"sha256:{'0123456789abcdef' * 4}"
MODEL: dict[str, Any] = {
    "kind": "image",
    "title": "Geography",
    "description": "Maps & more",
    "image": "base",
    "packages": ["gdal-bin", "proj-bin"],
    "pipelines": {},
}


def publish(
    root: Path,
    group: str = "lab",
    name: str = "geo",
    *,
    commit: str = "a" * 40,
    port: int = 5000,
    digest: str = DIGEST,
    told: dict[str, Any] | None = None,
    **model: Any,
) -> str:
    """Publish a release below a directory; give its image.

    ``told`` are keys of release.json, ``model`` those of model.yml, that are to be others.
    """
    release = {
        "group": group,
        "name": name,
        "commit": commit,
        "image": f"127.0.0.1:{port}/models/{group}/{name}@{digest}",
        "size": {},
        "published_at": "2026-11-21T23:59:00+00:00",
        "published_by": "ana",
        "model": {"name": name, **MODEL, **model},
        **(told or {}),
    }
    place = root / group / name / "releases" / commit
    place.mkdir(parents=True, exist_ok=True)
    (place / "release.json").write_text(json.dumps(release))
    new = root / group / name / "new"
    new.symlink_to(f"releases/{commit}")
    new.replace(root / group / name / "current")
    return str(release["image"])


def put(site: Site, group: str = "lab", name: str = "geo", **told: Any) -> str:
    """Publish a release on a site, in place of the service `api`; give its image."""
    with tempfile.TemporaryDirectory() as directory:
        port = site.settings["network"]["registry_port"]
        found = publish(Path(directory), group, name, **{"port": port, **told})
        copy(site, Path(directory))
    return found


def copy(site: Site, root: Path) -> None:
    """Add what is published below a directory to what is published on a site."""
    image = site.docker("inspect", "--format", "{{.Config.Image}}", site.container("hub"))
    groups = [each.name for each in root.iterdir()]
    tar = ["tar", "-c", "--owner=999", "--group=999", "-C", str(root), *groups]
    subprocess.run(
        ["/usr/bin/docker", "run", "--rm", "--interactive", "--user=0:0", "--network=none",
         f"--volume={site.name}_models:/srv/models", image, "tar", "-x", "-C", "/srv/models"],
        input=subprocess.run(tar, check=True, capture_output=True).stdout, check=True,
    )  # fmt: skip


def remove(site: Site, group: str = "lab", name: str = "geo") -> None:
    """Remove all releases of one."""
    image = site.docker("inspect", "--format", "{{.Config.Image}}", site.container("hub"))
    site.docker(
        *("run", "--rm", "--user=0:0", f"--volume={site.name}_models:/srv/models", image),
        *("rm", "--recursive", "--force", f"/srv/models/{group}/{name}"),
    )
