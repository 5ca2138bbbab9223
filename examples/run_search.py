"""Search the hyper-parameters of a recipe with Optuna, and train the best trial anew.

python examples/run_search.py --config examples/configs/seven-emotions.yaml --data_dir DATA_DIR --n_trials 20
"""

import sys

from trainers.commands import run_search as main

if __name__ == "__main__":
    main(sys.argv[1:])
