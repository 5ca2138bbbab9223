"""All-in-One: one model for emotions, their intensities and valence, beside one model per task.

python examples/run_multitask.py --data_dir DATA_DIR --seeds 42 43 44
"""

import sys

from trainers.commands import run_multitask as main

if __name__ == "__main__":
    main(sys.argv[1:])
