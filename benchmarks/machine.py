"""What the machine is and how fast it multiplies matrices, of which the floors of the benchmarks are made."""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from trainers.training_arguments import supports_fast_bf16

# Flags of CPUs whose matrix units multiply bf16. Others compute it number by number, some fifty times slower than fp32.
MULTIPLIES_BF16 = ("avx512_bf16", "amx_bf16")
# Products that are timed at once.
PRODUCTS = 10


def cpu_name() -> str:
    """The CPU by the name that Linux gives it, and what matters of what it can do."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    fields = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
    found = {name.strip(): value.strip() for name, value in fields.items()}
    able = [flag for flag in ("avx2", "avx512f", *MULTIPLIES_BF16) if flag in found.get("flags", "").split()]
    return f"{found.get('model name', 'unknown')} ({' '.join(able)})"


def device_name() -> str:
    """The GPU that PyTorch takes, else the CPU."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else cpu_name()


def fastest_precision() -> torch.dtype:
    """The precision in which the machine multiplies fastest."""
    return torch.bfloat16 if supports_fast_bf16() else torch.float32


def matrix_speed(
    rows: int = 896,
    width: int = 384,
    hidden: int = 1536,
    dtype: torch.dtype = torch.bfloat16,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Operations per second of this machine on matrices of MiniLM's shapes; with the clock `time.process_time`, of one
    of its cores, which other programs disturb less."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    first, second = (torch.randn(shape, device=device).to(dtype) for shape in ((rows, width), (width, hidden)))
    best = 0.0
    for _ in range(20):
        started = clock()
        for _ in range(PRODUCTS):
            first @ second
        if device == "cuda":
            torch.cuda.synchronize()
        best = max(best, PRODUCTS * 2.0 * rows * width * hidden / (clock() - started))
    return best


def matrix_weights(model: nn.Module) -> int:
    """Number of weights that every token is multiplied by."""
    kinds = (nn.Linear, nn.Conv1d, nn.LSTM, nn.GRU)
    encoders = [module for module in model.modules() if isinstance(module, kinds)]
    return sum(parameter.numel() for module in encoders for parameter in module.parameters() if parameter.dim() > 1)
