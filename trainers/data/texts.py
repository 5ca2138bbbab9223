"""What counts as a text."""

from typing import Any


def require_text(value: Any, place: str) -> str:
    """Return a value that must be a non-blank text. `place` says where it is, for the error message.

    Raises:
        ValueError: If it is not a text, is blank, or cannot be encoded in UTF-8.
    """
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{place}: expected a non-empty text, got {value!r}.")
    return require_encodable(value, place)


def require_encodable(value: str, place: str) -> str:
    """Return a string that must be possible to encode in UTF-8.

    Raises:
        ValueError: If it has a lone surrogate, such as half an emoji; the message shows it.
    """
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{place}: {value[error.start]!a} at character {error.start + 1} cannot be encoded in UTF-8; it is "
            "half of a character, as where a text was cut inside an emoji, or was not UTF-8. Mend or delete it."
        ) from error
    return value
