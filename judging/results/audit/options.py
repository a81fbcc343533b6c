"""What a reader of the audit may choose."""

from typing import ClassVar

from pydantic import Field, field_validator

from judging.results.result import Options

COSINE, CLUSTER, NEIGHBORS, WORDS, SIMILARITY, ORIGINALITY = (
    "cosine", "cluster", "neighbors", "words", "similarity", "originality",
)  # fmt: skip
NAMES = {
    COSINE: "1 − mean cosine to the other responses of the pool",
    CLUSTER: "−log of its cluster’s share of the pool",
    NEIGHBORS: "rank of the distance to its nearest neighbors",
    WORDS: "1 − mean cosine of its words to those of the others",
    SIMILARITY: "how unlike the others people find it",
    ORIGINALITY: "how original people find it",
}
CORRECTED = tuple(f"{COSINE}+{name}" for name in (SIMILARITY, ORIGINALITY))
"""An embedder’s measure with people’s, whose errors are not alike: each corrects the other."""
MEASURES = (*NAMES, *CORRECTED)


class AuditOptions(Options):
    # On the page it is the scorer to look at more closely; all are audited.
    not_on_page: ClassVar[frozenset[str]] = frozenset({"scorer"})

    scorer: str = Field(default="", description="only this one")
    unusualness: str = Field(
        default=COSINE,
        description=f"{', '.join(NAMES)}, or two that correct each other: {', '.join(CORRECTED)}",
        json_schema_extra={"enum": list(MEASURES)},
    )
    embedder: str = Field(default="", description="by its name and version; by default the one run last")
    groups: str = Field(
        default="", description="kinds of source: written, source, or a name in the responses’ params"
    )

    @field_validator("unusualness")
    @classmethod
    def _is_a_measure(cls, name: str) -> str:
        if name not in MEASURES:
            raise ValueError(f"One of {', '.join(MEASURES)}.")
        return name


DEFAULTS = AuditOptions()
