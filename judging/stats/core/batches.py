"""Work in pieces that fit into memory."""


def batches(total: int, row_size: int, budget: int = 2_000_000) -> list[int]:
    """Return batch sizes that add up to `total` and keep each batch under a number of elements.

    Parameters
    ----------
    total : int
        Number of rows in all.
    row_size : int
        Elements in one row.
    budget : int
        Elements allowed in one batch; a batch has at least one row.

    Returns
    -------
    list of int
        Sizes, in order.

    Raises
    ------
    ValueError
        If `total` is negative.
    """
    if total < 0:
        raise ValueError(f"total must not be negative, got {total}.")
    size = max(1, budget // max(1, row_size))
    return [size] * (total // size) + ([total % size] if total % size else [])
