"""`csr-emotion try`: a page in the browser to try a model."""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from ..data import BUNDLED_POSTS
from ..hub import PAGE


def page_parser() -> argparse.ArgumentParser:
    """Parser of the command's options."""
    about = (
        "Open a page in the browser that shows what a model says of a text, and why; or, with a model of dialogues, of "
        "a conversation that is typed line by line."
    )
    parser = argparse.ArgumentParser("csr-emotion try", description=about, allow_abbrev=False)
    parser.add_argument("model", help="Folder or Hub id of a classifier. Its code is run.")
    parser.add_argument("--compare", help="A second classifier to show beside it.")
    return parser


def open_page(argv: Sequence[str]) -> None:
    """Run the page until it is stopped.

    Args:
        argv (`Sequence[str]`): The command line, without the program's name.
    """
    args = page_parser().parse_args(list(argv))
    if find_spec("gradio") is None:
        sys.exit("csr-emotion try: error: the page needs gradio: pip install 'csr-emotion[space]'.")
    # The page is a Space: its files import each other by name, not as parts of a package.
    command = [sys.executable, str(PAGE / "app.py"), "--posts", str(BUNDLED_POSTS / "emotion"), "--model", args.model]
    sys.exit(subprocess.run([*command, *(["--compare", args.compare] if args.compare else [])]).returncode)
