"""Distil a trained model into one encoder of a stock class, which servers and other runtimes know.

python examples/distill_csr.py --teacher outputs/demo/csr --output_dir outputs/demo/csr-distilled
"""

import sys

from trainers.commands import run_distillation as main

if __name__ == "__main__":
    main(sys.argv[1:])
