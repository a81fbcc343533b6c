"""Results as text for a terminal."""

from judging.stats import Estimate


def text(e: Estimate) -> str:
    """An estimate with its interval, or why there is none."""
    if e.estimate is None:
        return f"undefined ({e.reason})"
    why = (e.reason or "").removeprefix("No interval: ")
    interval = f"[{e.low:.3f}, {e.high:.3f}]" if e.low is not None else f"(no interval: {why})"
    return f"{e.estimate:.3f} {interval}"
