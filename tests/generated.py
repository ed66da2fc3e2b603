"""Files that are made from the code: checked by `make lint`, written by `make docs`."""

import sys
from pathlib import Path

from notehive import settings

ROOT = Path(__file__).resolve().parents[1]


def settings_reference() -> str:
    """Give docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Every key of `settings.yml`, with its default. All are optional, but where it says "
        "*required*. `NAME` is yours to choose. (This page is made from the code by `make docs`.)",
        "",
        "| setting | default | what it says |",
        "|---|---|---|",
    ]
    for key, default, text in settings.describe():
        shown = f"`{default}`" if default and default != "required" else default
        shown = "*required*" if default == "required" else shown
        lines.append(f"| `{key}` | {shown} | {text.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


GENERATED = {"docs/settings.md": settings_reference}


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
