"""Controls, ablations and measurements of speed. Run from the repository: `python -m benchmarks.NAME`."""

from . import recipes

__all__ = ["recipes"]
