"""What the commands share: their log, and errors that end them with a message instead of a traceback."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# What is wrong with a command line, its files or the installation. It is found before anything is trained.
BAD_INPUT = (ValueError, OSError, ModuleNotFoundError)


def set_up_logging() -> bool:
    """Log to the terminal; the further processes of a launcher only their errors.

    Returns:
        `bool`: Whether this is the main process.
    """
    # Of the launchers. accelerate's own state must not be asked for before TrainingArguments has set it up.
    main_process = os.environ.get("RANK", "0") == "0"
    logging.basicConfig(level=logging.INFO if main_process else logging.ERROR, format="%(levelname)s %(message)s")
    # It logs each request to the Hub.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    return main_process


@contextmanager
def exit_on(command: str, *errors: type[Exception]) -> Iterator[None]:
    """End the command with the error's message, which says what to do; a traceback would bury it.

    Args:
        command (`str`): What the message begins with.
        *errors (`type[Exception]`): The errors that are of this kind; all others are not caught.
    """
    try:
        yield
    except errors as error:
        sys.exit(f"{command}: error: {error}")
