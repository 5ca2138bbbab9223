"""The commands. Names are imported on first use, so that help does not wait for torch."""

import os
from importlib import import_module
from typing import Any

# Before torch is imported. By default its threads spin while they wait for each other, and where another program has
# one of the cores, a training then takes several times as long (benchmarks/busy_machine.py).
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Maps modules to the names that other rooms may use.
_NAMES = {
    ".csr_emotion": ("main",),
    ".train": ("run_training",),
    ".evaluate": ("run_evaluation",),
    ".score": ("run_scoring",),
    ".check_data": ("run_check",),
    ".suggest": ("run_suggestion",),
    ".cross_validate": ("run_cross_validation",),
    ".distill": ("run_distillation",),
    ".export": ("run_export",),
    ".search": ("run_search",),
    ".compare": ("run_comparison",),
    ".try_model": ("open_page",),
    ".dialogue": ("run_dialogue",),
    ".multitask": ("run_multitask",),
    ".recurrent": ("run_recurrent",),
    ".reproduce_paper": ("run_reproduction",),
    ".parser": ("parse_run_arguments", "parse_run_arguments_and"),
    ".terminal": ("BAD_INPUT", "exit_on", "set_up_logging"),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name], __name__), name)
