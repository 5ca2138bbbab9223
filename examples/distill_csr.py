"""Distil a trained model into one encoder of a stock class, which the Hub's widget and every tool can run.

python examples/distill_csr.py --teacher outputs/demo/csr --output_dir outputs/demo/csr-distilled
"""

import sys

from trainers.commands import run_distillation as main

if __name__ == "__main__":
    main(sys.argv[1:])
