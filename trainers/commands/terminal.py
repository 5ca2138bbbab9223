"""Terminal output of the commands: logging, and error messages instead of tracebacks."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Errors in a command line, its files or the installation, which are found before any training.
BAD_INPUT = (ValueError, OSError, ModuleNotFoundError)


def set_up_logging() -> bool:
    """Log to the terminal; processes other than the main one log only errors.

    Returns:
        `bool`: Whether this is the main process.
    """
    # Set by the launchers. accelerate's own state must not be used before TrainingArguments has set it up.
    main_process = os.environ.get("RANK", "0") == "0"
    logging.basicConfig(level=logging.INFO if main_process else logging.ERROR, format="%(levelname)s %(message)s")
    # It logs every request to the Hub.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    return main_process


@contextmanager
def exit_on(command: str, *errors: type[Exception]) -> Iterator[None]:
    """Exit with the message of an error, which says what to do; a traceback would hide it.

    Args:
        command (`str`): Prefix of the message.
        *errors (`type[Exception]`): Types of errors to handle; all others are raised.
    """
    try:
        yield
    except errors as error:
        sys.exit(f"{command}: error: {error}")
