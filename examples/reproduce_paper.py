"""Reproduce the paper's tables over several seeds.

python examples/reproduce_paper.py --data_dir DATA_DIR --encoder bert-base-uncased
"""

import sys

from trainers.commands import run_reproduction as main

if __name__ == "__main__":
    main(sys.argv[1:])
