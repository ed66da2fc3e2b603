"""Amounts of CPU, memory and GPUs, in words for people."""

from notehive.settings import Size, format_memory


def cpus(count: float) -> str:
    """Give ``0.5 CPU``, ``1 CPU``, ``8 CPUs``."""
    return f"{count:g} {'CPU' if count <= 1 else 'CPUs'}"


def memory(size: int) -> str:
    """Give bytes as ``512 MB`` or ``1.5 GB``; no memory is ``0 GB``."""
    text = format_memory(size)
    return f"{text[:-1]} {text[-1]}B" if text[-1].isalpha() else f"{text} {'B' if size else 'GB'}"


def of_memory(part: int, whole: int) -> str:
    """Give ``4 of 32 GB``, or ``512 MB of 2 GB`` where the units differ."""
    number, unit = memory(part).split()
    whole_unit = memory(whole).split()[1]
    shown = number if unit == whole_unit or not part else f"{number} {unit}"
    return f"{shown} of {memory(whole)}"


def describe_size(size: Size) -> list[str]:
    """Give the lines below a size's title: the limit, what is guaranteed, the GPUs."""
    return [
        f"up to {cpus(size.limit.cpu)} · {memory(size.limit.memory)} memory",
        f"at least {cpus(size.reserved.cpu)} · {memory(size.reserved.memory)}",
        *([f"with {_gpus(size)}"] if size.gpu else []),
    ]


def _gpus(size: Size) -> str:
    if size.gpu_kind == "gpu":
        return f"{size.gpu} {'GPU' if size.gpu == 1 else 'GPUs'}"
    return f"{size.gpu} {size.gpu_kind}"
