"""Files that are made from the code: checked by `make lint`, written by `make docs`."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from bench import report, tables
from notehive import settings
from notehive.models.declaration import Project
from notehive.typed_yaml.section import describe

ROOT = Path(__file__).resolve().parents[1]


def table(head: str, rows: Iterable[tuple[str, str, str]]) -> list[str]:
    """Give the lines of a table of keys: (key, default, help)."""
    lines = [f"| {head} | default | what it says |", "|---|---|---|"]
    for key, default, text in rows:
        shown = f"`{default}`" if default and default != "required" else default
        shown = "*required*" if default == "required" else shown
        lines.append(f"| `{key}` | {shown} | {text.replace('|', chr(92) + '|')} |")
    return lines


def settings_reference() -> str:
    """Give docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Every key of `settings.yml`, with its default. All are optional, but where it says "
        "*required*. `NAME` is yours to choose. (This page is made from the code by `make docs`.)",
        "",
        *table("setting", settings.describe()),
    ]
    return "\n".join(lines) + "\n"


def model_reference() -> str:
    """Give docs/model-yml.md with the table of all keys."""
    page = (ROOT / "docs/model-yml.md").read_text(encoding="utf-8")
    place = re.compile(r"(?<=<!-- keys -->\n).*?(?=<!-- end -->)", re.S)
    keys = "\n".join(table("key", describe(Project)))
    return place.sub(lambda _: f"\n{keys}\n\n", page)


def benchmarks() -> str:
    """Give bench/README.md with the tables of the last results."""
    page = (ROOT / "bench/README.md").read_text(encoding="utf-8")
    made = {"spawn": report.markdown, "batch": tables.batch, "dags": tables.dags}
    for name, tables_of in made.items():
        place = re.compile(rf"(?<=results/{name}\.json -->\n).*?(?=<!-- end -->)", re.S)
        text = report.last(name, tables_of)
        page = place.sub(lambda _, text=text: f"\n{text}\n\n", page)  # type: ignore[misc]
    return page


GENERATED = {
    "docs/settings.md": settings_reference,
    "docs/model-yml.md": model_reference,
    "bench/README.md": benchmarks,
}


def main() -> int:
    """Check the generated files, or write them with ``--write``; give the exit code."""
    stale = 0
    for name, make in GENERATED.items():
        path = ROOT / name
        if "--write" in sys.argv:
            path.write_text(make(), encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != make():
            print(f"{name}: is not what the code says; run `make docs`")
            stale = 1
    return stale


if __name__ == "__main__":
    raise SystemExit(main())
