"""What every result has in common: options, one cached computation, and the JSON, page and text that follow from it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar
from urllib.parse import urlencode

from django.http import HttpRequest
from pydantic import BaseModel, ConfigDict, ValidationError

from annotate.kinds import Trait
from annotate.models import Study
from judging.results.cache import cached
from judging.results.json import ResultRecord

if TYPE_CHECKING:
    from judging.results.table import Table


class NotComputable(ValueError):
    """Why a result can't be computed from a study, and what would change that."""


class NoCriterion(NotComputable):
    """No criterion of the study asks for what a result rests on; `traits` are those of the kinds that could."""

    def __init__(self, text: str, *traits: Trait) -> None:
        super().__init__(text, *traits)
        self.text, self.traits = text, traits

    def __str__(self) -> str:
        return self.text


class NotEmbedded(NotComputable):
    """No embedder has read the responses, or not all of them: a run would change that."""


class Options(BaseModel):
    """What a reader may choose: each field is a parameter of the page and of the API, and an option of the command."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    not_on_page: ClassVar[frozenset[str]] = frozenset()
    """Fields that a page uses for something else: what to show of the result, not what to compute."""

    @property
    def key(self) -> str:
        """Names the result among those of a study; empty for the defaults."""
        return urlencode(self.model_dump(exclude_defaults=True))

    @classmethod
    def from_query(cls, query: Mapping[str, Any], *, page: bool = False) -> Self:
        """Raises pydantic's ValidationError for values that a field refuses; other parameters are not its own."""
        skipped = cls.not_on_page if page else frozenset()
        return cls(**{n: query[n] for n in cls.model_fields if n in query and n not in skipped})


def problems_of(error: ValidationError) -> dict[str, str]:
    """Each field that was refused, and why in words."""
    return {
        ".".join(map(str, e["loc"])): str(e.get("ctx", {}).get("error", e["msg"])) for e in error.errors()
    }


OptionsT = TypeVar("OptionsT", bound=Options)
R = TypeVar("R")


def _no_context(request: HttpRequest, study: Study, options: Any, report: Any) -> dict[str, Any]:
    return {}


def _as_chosen(request: HttpRequest, study: Study, options: OptionsT) -> OptionsT:
    return options


def _nothing_beside(study: Study) -> dict[str, Any]:
    return {}


def _no_lines(study: Study) -> Iterable[str]:
    return ()


def _no_tables(report: Any) -> "Sequence[Table]":
    return ()


@dataclass(frozen=True)
class Result(Generic[OptionsT, R]):
    """One result. `judging.results.NAME.result.RESULT` is one; RESULTS lists them."""

    name: str
    summary: str
    """One line: the command's help and the API's summary."""
    options: type[OptionsT]
    compute: Callable[[Study, OptionsT], R]
    """Rows to the report; raises NotComputable."""
    record: type[ResultRecord]
    to_record: Callable[[Study, R], Mapping[str, Any]]
    """The fields of `record` beside study and simulated."""
    lines: Callable[[R], Iterable[str]]
    """The report as text for a terminal."""
    narrowed: Callable[[HttpRequest, Study, OptionsT], OptionsT] = _as_chosen
    """What a page computes where all would take too long; raises NotComputable."""
    context: Callable[[HttpRequest, Study, OptionsT, R], dict[str, Any]] = _no_context
    """What the page shows beside the report."""
    page_beside: Callable[[Study], dict[str, Any]] = _nothing_beside
    json_beside: Callable[[Study], dict[str, Any]] = _nothing_beside
    lines_beside: Callable[[Study], Iterable[str]] = _no_lines
    """What page, JSON and text say whether the result can be computed or not."""
    tables: "Callable[[R], Sequence[Table]]" = _no_tables
    """What an export holds of it beside its JSON."""

    @property
    def template(self) -> str:
        return f"judging/results/{self.name}.html"

    def cached(self, study: Study, options: OptionsT) -> R:
        """The report, computed once for the same rows; raises NotComputable."""
        return cached(study, f"{self.name}:{options.key}", lambda: self.compute(study, options))

    def cached_json(self, study: Study, options: OptionsT) -> dict[str, Any]:
        return cached(
            study,
            f"{self.name}-json:{options.key}",
            lambda: self.to_json(study, lambda: self.cached(study, options)),
        )

    def to_json(self, study: Study, report: Callable[[], R]) -> dict[str, Any]:
        """The JSON of a report; without one, empty lists and the reason."""
        try:
            fields = self.to_record(study, report())
        except NotComputable as error:
            fields = {"reason": str(error)}
        head = {"study": study.slug, "simulated": study.simulated}
        record = self.record.model_validate({**head, **fields, **self.json_beside(study)}).model_dump()
        return record | ({"reason": record.pop("reason")} if "reason" in record else {})
