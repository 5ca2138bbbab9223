"""Train the paper's recipes: plain BERT, transfer from sentiment, and the common space (Model-3).

accelerate launch examples/run_csr.py --config examples/configs/demo.yaml
"""

import sys

from trainers.commands import run_training as main

if __name__ == "__main__":
    main(sys.argv[1:])
