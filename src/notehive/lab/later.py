"""Modules that are loaded when somebody first takes something of them, or not at all."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any


class Later(ModuleType):
    """Stands for a module, and loads it when it is asked for anything.

    What is taken of it by name at an import (``from ... import f``) would load it at once;
    ``functions`` can be taken, and load it when they are called.
    """

    def __init__(self, name: str, *functions: str) -> None:
        super().__init__(name)
        for function in functions:
            setattr(self, function, partial(_call, name, function))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python itself asks, while it imports
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


def _call(module: str, function: str, *args: Any, **options: Any) -> Any:
    return getattr(importlib.import_module(module), function)(*args, **options)


@contextmanager
def loaded_later(*names: str) -> Iterator[None]:
    """Let what is imported meanwhile have these modules later; nobody else notices.

    A name is ``MODULE``, or ``MODULE:FUNCTION`` if a function or class is taken of it by name.
    """
    modules = [Later(*name.split(":")) for name in names]
    absent = {each.__name__: each for each in modules if each.__name__ not in sys.modules}
    sys.modules.update(absent)
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextmanager
def left_out(*names: str) -> Iterator[None]:
    """Have what is imported meanwhile find these modules missing: those that it can do without.

    What has them already keeps them, and what is imported afterwards has them.
    """
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None is: there is none
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
