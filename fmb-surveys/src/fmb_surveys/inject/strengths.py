"""What `--strength` says: one, several, or a range over which hosts are spread."""

from fmb import ConfigError

__all__ = ["read_strengths"]


def read_strengths(text: str) -> tuple[tuple[float, ...], bool]:
    """Strengths between 0 and 1, and whether they are the ends of a range.

    Args:
        text: "0.5", "0,0.5,1" or "0.5..1".

    Raises:
        ConfigError: it is none of these, or a strength lies outside.
    """
    low, dots, high = text.partition("..")
    try:
        found = tuple(float(part) for part in ((low, high) if dots else text.split(",")))
    except ValueError:
        raise ConfigError(
            f"--strength {text!r}: write a number, several as 0,0.5,1 or a range as 0.5..1"
        ) from None
    if not all(0.0 <= strength <= 1.0 for strength in found):
        raise ConfigError(f"--strength {text}: strengths lie between 0 (weak) and 1 (strong)")
    if dots and found[0] >= found[1]:
        raise ConfigError(f"--strength {text}: a range goes from the weaker to the stronger")
    return found, bool(dots)
