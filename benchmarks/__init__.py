"""Controls, ablations and measurements of speed. Run from the repository: `python -m benchmarks.NAME`."""
