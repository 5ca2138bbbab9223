"""Requests to the Hub that are repeated after temporary errors, and given up in the end."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from json import JSONDecodeError
from traceback import extract_tb
from typing import Any, TypeVar

import tenacity
from huggingface_hub import constants, set_client_factory
from huggingface_hub.errors import HfHubHTTPError, HTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
from huggingface_hub.utils import _http

logger = logging.getLogger(__name__)

# Temporary errors: time-outs, conflicts with another commit, rate limits, and faults of the server or of a proxy.
PASSING = {408, 409, 412, 429, 500, 502, 503, 504, 507, *range(520, 531)}
# The client itself waits for ever. In seconds without a byte.
LONGEST_SILENCE = 120.0

# Where the client, since 2.4, reads a file that it has once downloaded, and takes whatever stands in it. That is no
# part of its public interface.
_AGENTS = import_module("huggingface_hub.utils._detect_agent") if hasattr(constants, "AGENT_HARNESSES_PATH") else None

T = TypeVar("T")


def patiently(send: Callable[[], T], what: str, patience: float) -> T:
    """Call `send`, and retry temporary errors, a Hub that says nothing among them.

    Args:
        send (`Callable`): The requests to make; it has to be repeatable.
        what (`str`): What is being sent, for messages.
        patience (`float`): How many seconds to keep retrying.

    Returns:
        What `send` returns.

    Raises:
        Exception: The last error, if `send` keeps failing or fails for good.
        ValueError: If the client cannot send anything, for a damaged file of its own.
    """
    attempts = tenacity.Retrying(
        stop=tenacity.stop_before_delay(patience),
        wait=_wait,
        retry=tenacity.retry_if_exception(_passes),
        before_sleep=lambda state: logger.warning(
            "%s: %s Trying again in %.0f s.", what, _reason(state), state.upcoming_sleep
        ),
        reraise=True,
    )
    with _limited_silence(min(LONGEST_SILENCE, max(patience, 1.0))):
        try:
            return attempts(send)
        except (AttributeError, TypeError, ValueError) as error:
            if _AGENTS is None or not any(
                frame.filename == _AGENTS.__file__ for frame in extract_tb(error.__traceback__)
            ):
                raise
            raise ValueError(
                f"{constants.AGENT_HARNESSES_PATH}, where the Hub's client keeps what it names in requests, is damaged "
                f"({type(error).__name__}: {error}). Delete that file, and repeat the command."
            ) from error


def cause_of(error: BaseException | None) -> BaseException | None:
    """The error behind the client's report that a file could not be uploaded or downloaded."""
    return error.__cause__ or error if isinstance(error, (RuntimeError, LocalEntryNotFoundError)) else error


@contextmanager
def _limited_silence(seconds: float) -> Iterator[None]:
    # The client is also replaced on the way, after a refused connection, so it takes a factory. There is no public
    # function that returns the present one.
    present = _http._GLOBAL_CLIENT_FACTORY

    def limit(request: Any) -> None:
        own = {kind: limit for kind, limit in request.extensions.get("timeout", {}).items() if limit is not None}
        limits = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
        request.extensions = {**request.extensions, "timeout": limits | own}

    def factory() -> Any:
        client = present()
        # Not the client's own timeout, which some requests, such as `repo_info`, override with none.
        client.event_hooks["request"].append(limit)
        return client

    set_client_factory(factory)
    try:
        yield
    finally:
        set_client_factory(present)


def _passes(error: BaseException) -> bool:
    cause = cause_of(error)
    if isinstance(cause, HfHubHTTPError):
        return cause.response.status_code in PASSING
    if isinstance(cause, OfflineModeIsEnabled):
        return False
    # A failing gateway answers with an HTML page, which the client tries to parse as JSON.
    return isinstance(cause, (HTTPError, ConnectionError, TimeoutError, JSONDecodeError))


def _wait(state: tenacity.RetryCallState) -> float:
    """Seconds to wait before retrying: what the Hub asks for, otherwise longer each time."""
    error = cause_of(state.outcome.exception()) if state.outcome else None
    asked = error.response.headers.get("Retry-After", "") if isinstance(error, HfHubHTTPError) else ""
    return float(asked) if asked.isdigit() else min(2.0 ** (state.attempt_number - 1), 30.0)


def _reason(state: tenacity.RetryCallState) -> str:
    error = state.outcome.exception() if state.outcome else None
    return str(error).splitlines()[0] if str(error) else type(error).__name__
