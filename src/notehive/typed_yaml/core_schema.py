"""Plain words as YAML 1.2 reads them, which is as people mean them.

PyYAML knows YAML 1.1 only: to that, `no` is false, `1e-3` is text, `010` is eight and `12:30` is
750.
"""

import re
from typing import Any

import yaml

TAG = "tag:yaml.org,2002:"
PLAIN = {
    "null": (r"~|null|Null|NULL|", "~nN"),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    "merge": (r"<<", "<"),
}


class CoreLoader(yaml.SafeLoader):
    """Loads YAML with the core schema of YAML 1.2 (dates stay text)."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own; filled below


for name, (pattern, first) in PLAIN.items():
    # An empty word is null too; PyYAML looks it up under "".
    letters = [*first, ""] if name == "null" else list(first)
    CoreLoader.add_implicit_resolver(TAG + name, re.compile(rf"(?:{pattern})\Z"), letters)


def _whole_number(loader: CoreLoader, node: Any) -> int:
    text = str(loader.construct_scalar(node))
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


CoreLoader.add_constructor(TAG + "int", _whole_number)
