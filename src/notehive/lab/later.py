"""Modules that are loaded when somebody first takes something of them."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


class Later(ModuleType):
    """Stands for a module, and loads it when it is asked for anything."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python itself asks, while it imports
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def loaded_later(*names: str) -> Iterator[None]:
    """Let what is imported meanwhile have these modules later; nobody else notices."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update({name: Later(name) for name in absent})
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
