"""How results become JSON: records, one way for an estimate, and what numpy holds as plain numbers."""

import math
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Reason = Annotated[str | None, Field(exclude_if=lambda why: not why)]
"""Why something is missing; left out of the JSON where nothing is."""


class Record(BaseModel):
    """One JSON object. It is read from a mapping, or from the attributes of a dataclass."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class EstimateRecord(Record):
    """A number with its 95 % interval; null with a reason where either is missing. `n`: units it rests on."""

    estimate: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None


class ResultRecord(Record):
    """The whole JSON of a result."""

    study: str
    simulated: bool
    reason: Reason = None
    """Why there is nothing, or not all."""


def plain(value: Any) -> Any:
    """Arrays as lists, and null for what is no finite number."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


Floats = Annotated[list[float | None], BeforeValidator(plain)]
Ints = Annotated[list[int], BeforeValidator(plain)]
MaybeFloat = Annotated[float | None, BeforeValidator(plain)]
