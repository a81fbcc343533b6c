"""Read and write study.toml."""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from annotate.kinds import KINDS, STRENGTHS, ItemKind, Kind, Measure, NoPreference, kind_of
from annotate.models import Annotator, Criterion, Study
from annotate.models.study import prolific_names

from .problems import FolderError, Problem, Problems, quoted
from .rows import INT32, INT64, Text, expectation, found_in, text_of, whole_of

FILE = "study.toml"
# Every point is offered to the annotator; who needs more asks for a `number`.
MOST_POINTS = 1_001


def one_of(values: list[str]) -> Any:
    return Field(pattern=f"^({'|'.join(values)})$", description=f"one of {', '.join(v for v in values if v)}")


Flag = Annotated[bool, Field(description="true or false")]


class CriterionSpec(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    key: Annotated[
        Text,
        Field(
            pattern=r"^[A-Za-z0-9][\w-]*$", max_length=100, description="up to 100 letters, digits, - and _"
        ),
    ]
    on: Annotated[Text, one_of(ItemKind.values)]
    kind: Annotated[Text, one_of(list(KINDS))]
    measures: Annotated[Text, one_of(["", *Measure.values])] = ""
    text: Text
    scale: Annotated[
        list[Annotated[int, Field(ge=-INT32 - 1, le=INT32)]],
        Field(min_length=2, max_length=2, description="two whole numbers, the lower first"),
    ] = []
    labels: Annotated[dict[Text, Text], Field(description="labels of points of the scale, each a text")] = {}
    choices: (
        Annotated[
            list[Annotated[Text, one_of([c.value for c in NoPreference if c != NoPreference.TIE])]],
            Field(description="choices of a preference beside its points: both_good, both_bad, cannot_tell"),
        ]
        | None
    ) = None
    required: Flag = True


class CheckSpec(BaseModel):
    """A question on the instructions."""

    model_config = ConfigDict(extra="forbid", strict=True)
    text: Annotated[Text, text_of(2_000)]
    options: Annotated[
        list[Annotated[Text, Field(min_length=1)]], Field(min_length=2, description="two texts or more")
    ]
    right: Annotated[int, Field(ge=0, description="the place of the right option, from 0")]


class Table(BaseModel):
    """An optional table of study.toml; what it leaves out is as the model says."""

    model_config = ConfigDict(extra="forbid", strict=True)
    # Names that the model says otherwise.
    stored_as: ClassVar[dict[str, str]] = {}

    @classmethod
    def of(cls, study: Study) -> Self:
        return cls.model_construct(
            **{name: getattr(study, cls.stored_as.get(name, name)) for name in cls.model_fields}
        )

    @property
    def values(self) -> dict[str, Any]:
        # What is stored isn't validated again, so its inner tables are plain dicts.
        return self.model_dump(warnings=False)

    def stored(self) -> dict[str, Any]:
        return {self.stored_as.get(name, name): value for name, value in self.values.items()}

    def changed(self) -> dict[str, Any]:
        """What differs from the default."""
        defaults = type(self)().values
        return {name: value for name, value in self.values.items() if value != defaults[name]}


class JourneySpec(Table):
    language: Annotated[
        Text,
        Field(
            max_length=10,
            pattern=r"^([A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*)?$",
            description="a BCP 47 language of up to 10 characters",
        ),
    ] = ""
    minutes: Annotated[int, whole_of(1, 32767)] | None = None
    session_items: Annotated[int, whole_of(0, INT32)] = 0
    break_after: Annotated[int, whole_of(0, INT32)] = 0
    checks: Annotated[
        list[CheckSpec], Field(description="a list of tables with text, options and right")
    ] = []
    check_tries: Annotated[int, whole_of(1, 32767)] = 2


class PageSpec(Table):
    layout: Annotated[Text, one_of(Study.Layout.values)] = Study.Layout.SIDE_BY_SIDE.value
    markup: Annotated[Text, one_of(Study.Markup.values)] = Study.Markup.PLAIN.value
    sync_scroll: Flag = False
    require_reading: Flag = False
    allow_skip: Flag = False
    allow_flag: Flag = False
    allow_comment: Flag = False
    edit_minutes: Annotated[int, whole_of(0, INT32)] = 10


def _keys(known: Iterable[str], what: str) -> Any:
    """A table of texts whose keys are among those known."""
    pattern = f"^({'|'.join(known)})$"
    return Annotated[
        dict[Annotated[str, Field(pattern=pattern)], Annotated[Text, Field(max_length=200)]],
        Field(description=f"{what} by {', '.join(known)}"),
    ]


class PanelSpec(Table):
    stored_as = {"required": "panel_required", "names": "panel_names", "codes": "completion_codes"}
    required: Flag = False
    names: _keys(prolific_names(), "names of parameters") = Field(default_factory=prolific_names)  # type: ignore[valid-type]
    codes: _keys(Annotator.Outcome.values, "codes") = {}  # type: ignore[valid-type]
    return_url: Annotated[
        Text,
        Field(max_length=500, pattern=r"^(https?://\S+)?$", description="an address with https, or nothing"),
    ] = "https://app.prolific.com/submissions/complete?cc=CODE"


TABLES: dict[str, type[Table]] = {"journey": JourneySpec, "page": PageSpec, "panel": PanelSpec}


class StudySpec(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    slug: Annotated[
        Text,
        Field(pattern=r"^[-a-zA-Z0-9_]+$", max_length=100, description="up to 100 letters, digits, - and _"),
    ]
    title: Annotated[Text, text_of(300)]
    seats: Annotated[int, whole_of(1, 32767)]
    seed: Annotated[int, whole_of(-INT64 - 1, INT64)] = 0
    simulated: Flag = False
    instructions: Text = ""
    consent: Text = ""
    journey: Annotated[JourneySpec, Field(description="a table")] = Field(default_factory=JourneySpec)
    page: Annotated[PageSpec, Field(description="a table")] = Field(default_factory=PageSpec)
    panel: Annotated[PanelSpec, Field(description="a table")] = Field(default_factory=PanelSpec)
    criterion: Annotated[list[CriterionSpec], Field(min_length=1, description="one [[criterion]] or more")]

    own: ClassVar[tuple[str, ...]] = ("title", "seats", "seed", "simulated", "instructions", "consent")

    @property
    def criteria(self) -> dict[str, CriterionSpec]:
        return {spec.key: spec for spec in self.criterion}

    @property
    def tables(self) -> dict[str, Table]:
        return {name: getattr(self, name) for name in TABLES}

    @property
    def stored(self) -> dict[str, Any]:
        """Fields of the stored study, all but its slug."""
        own = {name: getattr(self, name) for name in self.own}
        return own | {name: value for table in self.tables.values() for name, value in table.stored().items()}

    @property
    def sha256(self) -> str:
        changed = {name: table.changed() for name, table in self.tables.items() if table.changed()}
        # What a criterion leaves out is no part of what it says, whatever a later version may add.
        plain = self.model_dump(exclude=set(TABLES), exclude_none=True) | changed
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


# Python's reader takes minutes for a key of 40,000 names: the square of their number.
_DEEP_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){100}""")


def read_study(folder: Path, problems: Problems, slug: str | None = None) -> StudySpec | None:
    """The settings, under another slug if one is given; None when anything in them is wrong."""
    path = folder / FILE
    if not path.is_file():
        problems.add(FILE, None, "", f"a file in {folder}", "nothing")
        return None
    settings = _parse(path)
    return spec_from(settings if slug is None else {**settings, "slug": slug}, problems)


def spec_from(settings: dict[str, Any], problems: Problems) -> StudySpec | None:
    """The settings as a model; None when anything in them is wrong."""
    try:
        spec = StudySpec.model_validate(settings)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _add(problems, detail, error)
        return None
    before = problems.count
    _check_criteria(spec, problems)
    _check_checks(spec, problems)
    return spec if problems.count == before else None


def _parse(path: Path) -> dict[str, Any]:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
        if deep := _DEEP_KEY.search(text):
            line = text.count("\n", 0, deep.start()) + 1
            raise FolderError([Problem(FILE, line, "", "a key of few names", "a hundred with dots between")])
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        line, found = raw.count(b"\n", 0, error.start) + 1, f"byte 0x{raw[error.start]:02x}"
        raise FolderError([Problem(FILE, line, "", "UTF-8", found)]) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = str(error)
        at = re.search(r" \(at line (\d+), column (\d+)\)$", message)
        line = int(at[1]) if at else raw.count(b"\n") + 1
        found = f"{message[: at.start()]} at character {at[2]}" if at else message
        raise FolderError([Problem(FILE, line, "", "TOML", found)]) from error
    except ValueError as error:
        # The one thing that Python's reader leaves to Python's numbers.
        raise FolderError([Problem(FILE, None, "", "numbers of few digits", "one of thousands")]) from error


def _add(problems: Problems, detail: ErrorDetails, error: ValidationError) -> None:
    model, place, name = _place(detail["loc"])
    if detail["type"] == "extra_forbidden":
        problems.add(FILE, None, place, f"one of the keys {', '.join(model.model_fields)}", quoted(name))
    else:
        problems.add(FILE, None, place, expectation(model, name, detail), found_in(detail))


def _place(loc: tuple[int | str, ...]) -> tuple[type[BaseModel], str, str]:
    """Which model says what is expected, the place as a message tells it, and the name of the key."""
    match loc:
        case ("criterion", int(n), name, *_):
            return CriterionSpec, f"criterion {n + 1}, {name}", str(name)
        case ("journey", "checks", int(n), name, *_):
            return CheckSpec, f"journey, check {n + 1}, {name}", str(name)
        case (str(table), name, *_) if table in TABLES:
            return TABLES[table], f"{table}, {name}", str(name)
    return StudySpec, str(loc[0]), str(loc[0])


def _check_checks(spec: StudySpec, problems: Problems) -> None:
    for number, check in enumerate(spec.journey.checks, 1):
        if check.right >= len(check.options):
            expected = f"the place of one of the {len(check.options)} options, from 0"
            problems.add(FILE, None, f"journey, check {number}, right", expected, quoted(check.right))


def _check_criteria(spec: StudySpec, problems: Problems) -> None:
    seen: set[str] = set()
    for number, criterion in enumerate(spec.criterion, 1):
        if criterion.key in seen:
            found = f"{quoted(criterion.key)} again"
            problems.add(FILE, None, f"criterion {number}, key", "each key once", found)
        seen.add(criterion.key)
        _check_kind(criterion, problems)


def _check_kind(criterion: CriterionSpec, problems: Problems) -> None:
    kind, place = kind_of(criterion), f"criterion {criterion.key}"
    if criterion.on not in kind.item_kinds:
        expected = f"{' or '.join(kind.item_kinds)}, since this is a {kind.name}"
        problems.add(FILE, None, f"{place}, on", expected, quoted(criterion.on))
    expected = wrong_scale(kind, criterion.scale)
    if expected:
        problems.add(FILE, None, f"{place}, scale", expected, quoted(criterion.scale or None))
        return
    low, high = criterion.scale if kind.scaled else (0, -1)
    points = {str(p) for p in range(low, high + 1)}
    if criterion.choices is not None and not kind.two_sided:
        problems.add(FILE, None, f"{place}, choices", f"none for a {kind.name}", quoted(criterion.choices))
    for label in criterion.labels:
        if label not in points:
            expected = (
                f"points from {criterion.scale[0]} to {criterion.scale[1]}"
                if points
                else "none without a scale"
            )
            problems.add(FILE, None, f"{place}, labels", expected, quoted(label))


def wrong_scale(kind: Kind, scale: list[int]) -> str:
    """What was expected of the scale; nothing when it's right."""
    if kind.two_sided and scale:
        most = [[-n, n] for n in STRENGTHS]
        return "" if scale in most else f"one of {', '.join(map(str, most))}"
    if kind.bounded and scale:
        return "" if scale[0] < scale[1] else "two whole numbers, the lower first"
    if not kind.scaled:
        return f"none for a {kind.name}" if scale else ""
    if not scale:
        return f"two whole numbers, since this is a {kind.name}"
    if scale[0] >= scale[1]:
        return "two whole numbers, the lower first"
    return f"at most {MOST_POINTS:,} points" if scale[1] - scale[0] >= MOST_POINTS else ""


def create_study(spec: StudySpec, **further: Any) -> Study:
    """A new study with these settings, without prompts and responses."""
    study = Study.objects.create(slug=spec.slug, **spec.stored, **further)
    for position, one in enumerate(spec.criterion):
        criterion = criterion_of(one, position)
        criterion.study = study
        criterion.save()
    return study


def spec_of(study: Study) -> StudySpec:
    """The settings of a stored study, as its study.toml would say them."""
    criteria = [criterion_spec(c) for c in study.criteria.order_by("position")]
    own = {name: getattr(study, name) for name in StudySpec.own}
    values = own | {name: table.of(study) for name, table in TABLES.items()}
    return StudySpec.model_construct(slug=study.slug, criterion=criteria, **values)


def criterion_spec(criterion: Criterion) -> CriterionSpec:
    low, high = criterion.scale_low, criterion.scale_high
    return CriterionSpec.model_construct(
        key=criterion.key,
        on=criterion.on,
        kind=criterion.kind,
        measures=criterion.measures,
        text=criterion.text,
        scale=[] if low is None or high is None else [low, high],
        labels=criterion.labels,
        choices=criterion.choices,
        required=criterion.required,
    )


def criterion_of(spec: CriterionSpec, position: int) -> Criterion:
    low, high = spec.scale or (None, None)
    same = spec.model_dump(exclude={"scale"})
    return Criterion(position=position, scale_low=low, scale_high=high, **same)


def render(spec: StudySpec) -> str:
    """study.toml; defaults of criteria and of the optional tables are left out."""
    document = {name: getattr(spec, name) for name in ("slug", *StudySpec.own)}
    document |= {name: written for name, table in spec.tables.items() if (written := table.changed())}
    criteria = [
        {
            k: v
            for k, v in c.model_dump().items()
            if v not in ("", [], {}, None) or (k == "choices" and v == [])
        }
        for c in spec.criterion
    ]
    return tomli_w.dumps(document | {"criterion": criteria} if criteria else document)
