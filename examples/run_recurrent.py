"""Train a BiLSTM, or other recurrent and convolutional branches, from scratch: a small and fast classifier.

python examples/run_recurrent.py --data_dir DATA_DIR
"""

import sys

from trainers.commands import run_recurrent as main

if __name__ == "__main__":
    main(sys.argv[1:])
