"""Evaluate a classifier on a split of a dataset, at its own decision thresholds.

python examples/run_evaluation.py outputs/demo/csr --dataset csr-emotion-posts --split dev
"""

import sys

from trainers.commands import run_evaluation as main

if __name__ == "__main__":
    main(sys.argv[1:])
