"""The report: a first page for a reader with ten minutes, then everything it rests on.

The same study and seed give the same report, byte for byte, wherever they are loaded: nothing here depends on primary
keys, on the time of day or on the last bits of a number.
"""

import hashlib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from annotate.models import Answer, Judgment, Response, Study, planted
from judging.models import Score, ScoreRun
from judging.release import CODE
from judging.results import audit
from judging.results.audit.charts import forest
from judging.results.audit.headline import all_of
from judging.results.audit.report import Row
from judging.results.cache import cached
from judging.results.figures import Figure
from judging.results.homogeneity.charts import generations, heat_map, histograms
from judging.results.pairs.charts import forest_of_votes
from judging.results.result import NotComputable
from judging.results.summary.answers import Answers, answers
from judging.results.summary.charts import side_by_side
from judging.results.summary.findings import Findings, gather
from judging.results.summary.headline import headline, lede, question
from judging.results.summary.parts import Part, parts
from judging.results.summary.sheet import Sheet
from judging.results.summary.sheets import sheets
from judging.results.summary.wording import limits, sentence
from judging.stats import most_underrated

FIVE = 5
METHOD = (
    "errors-in-variables slope with products of different annotators only, length and markdown held constant, two-way "
    "jackknife over prompts and annotators, Fieller’s interval; “can’t tell” where that has no ends."
)


@dataclass(frozen=True, slots=True)
class Says:
    """The verdict on a scorer, or on those of which it is the same, in a sentence; `look` is its class on the page."""

    scorer: str
    look: str
    text: str
    baseline: bool


@dataclass(frozen=True, slots=True)
class Read:
    """A response that people liked and the machine did not."""

    prompt: str
    text: str
    language: str
    key: str
    source: str
    human_mean: float
    n_ratings: int
    score: float
    gap: float
    unusualness: float


@dataclass(frozen=True, slots=True)
class Report:
    slug: str
    title: str
    simulated: bool
    headline: str
    question: str
    lede: str
    why_none: str
    embedder: str
    unknown_languages: tuple[str, ...]
    says: tuple[Says, ...]
    lead: Figure | None
    five: tuple[Read, ...]
    five_of: str
    five_scale: str
    parts: tuple[Part, ...]
    limits: tuple[str, ...]
    figures: tuple[Figure, ...]
    sheets: tuple[Sheet, ...]
    method: str
    provenance: tuple[tuple[str, str], ...]


def cached_report(study: Study) -> Report:
    return cached(study, "report", lambda: report(study))


def report(study: Study) -> Report:
    try:
        findings: Findings | None = gather(study)
        why_none = ""
    except NotComputable as error:
        findings, why_none = None, str(error)
    given = answers(study)
    alike = given.alike
    worst = findings.worst if findings else None
    drawn = [figure.drawn() for figure in _figures(findings, given)]
    has_lead = findings is not None and drawn and drawn[0].key == "scorers"
    lead = drawn[0] if has_lead or (drawn and not findings) else None
    beside = parts(findings, given)
    return Report(
        slug=study.slug,
        title=study.title,
        simulated=study.simulated,
        headline=headline(findings, given, why_none),
        question=question(findings, given),
        lede=lede(study, findings, given),
        why_none="" if beside else why_none,
        embedder=alike.embedder if alike else "",
        unknown_languages=alike.unknown_languages if alike else (),
        says=_says(findings) if findings else (),
        lead=lead,
        five=_five(study, worst) if worst else (),
        five_of=worst.scorer if worst else "",
        five_scale="{} to {}".format(*worst.criterion.points[:: len(worst.criterion.points) - 1])
        if worst and not worst.in_sets
        else "",
        parts=beside,
        limits=(*([why_none] if beside and why_none else []), *limits(study, findings, alike)),
        figures=tuple(f for f in drawn if f is not lead),
        sheets=tuple(sheets(study, findings, given)),
        method=METHOD if findings or (given.pairs and given.pairs.votes) else "",
        provenance=tuple(_provenance(study, findings)),
    )


def _says(findings: Findings) -> tuple[Says, ...]:
    """In order; scorers of which the same sentence is true share it."""
    same: dict[tuple[str, str, bool], list[str]] = {}
    for f in findings.ordered(findings.criteria[0]):
        same.setdefault((f.result.verdict.name.lower(), sentence(f), f.is_baseline), []).append(f.scorer)
    return tuple(Says(all_of(names), *verdict) for verdict, names in same.items())


def _five(study: Study, worst: Row) -> tuple[Read, ...]:
    """Unusual responses above their prompt's human mean and the middle of the scale, their score furthest below."""
    if worst.in_sets:
        return ()
    inputs = audit.sources(study)
    ratings = audit.ratings_of(worst.criterion)
    listed = most_underrated(ratings, audit.scored_pool(inputs, worst.scorer), len(inputs.pool))
    if listed.empty:
        return ()
    middle = ratings.groupby("prompt_id")["value"].mean()
    scale = worst.criterion.points
    least = np.maximum(listed["prompt_id"].map(middle).to_numpy(), (scale[0] + scale[-1]) / 2)
    liked = listed[listed["human_mean"].to_numpy() > least].head(FIVE)
    texts = Response.objects.filter(pk__in=[int(pk) for pk in liked["response_id"]]).select_related("prompt")
    by_pk = {r.pk: r for r in texts}
    return tuple(_read(row, by_pk[int(row["response_id"])]) for row in liked.to_dict("records"))


def _read(row: dict[Any, Any], response: Response) -> Read:
    return Read(
        prompt=response.prompt.text,
        text=response.text,
        language=response.prompt.language,
        key=response.key,
        source=response.source,
        human_mean=float(row["human_mean"]),
        n_ratings=int(row["n_ratings"]),
        score=float(row["score"]),
        gap=float(row["gap"]),
        unusualness=float(row["unusualness"]),
    )


def _figures(findings: Findings | None, given: Answers) -> list[Figure]:
    drawn: list[Figure] = []
    alike = given.alike
    if findings:
        drawn.append(forest(findings.main))
        drawn += [forest(findings.of(c), f"scorers-{c.key}") for c in findings.criteria[1:]]
        if findings.measures:
            drawn.append(
                side_by_side(
                    findings.measures,
                    "measures",
                    "Does it hang on how unusualness is measured?",
                    "The same slope with unusualness measured in several ways, for the scorers with the largest "
                    "estimates. Faint: not identified. A finding that only one measure makes is one of that measure.",
                )
            )
        if findings.categories:
            drawn.append(
                side_by_side(
                    findings.categories,
                    "categories",
                    "Does it hang on the kind of prompt?",
                    "The same slope within categories of prompts that have at least three. Faint: not identified; "
                    "few prompts tell little, and a difference between two categories is not tested here.",
                )
            )
    if given.pairs and given.pairs.votes:
        drawn.append(forest_of_votes(given.pairs.votes))
    if alike:
        later = generations(alike)
        drawn += [histograms(alike), heat_map(alike)] + ([later] if later else [])
    return drawn


def _provenance(study: Study, findings: Findings | None) -> list[tuple[str, str]]:
    project = tomllib.loads((Path(settings.BASE_DIR) / "pyproject.toml").read_text())["project"]
    runs = ScoreRun.objects.filter(study=study).audited().order_by("scorer", "version")
    rows = [
        ("Study", study.slug),
        ("Data, sha256", content_hash(study)),
        ("Seed", str(study.seed)),
        ("Offbeat", f"{project['version']}, code {CODE}"),
        ("Scorers", ", ".join(str(run) for run in runs) or "none"),
    ]
    if findings:
        identity = findings.embedder.identity
        rows.append(
            ("Embedder", ", ".join(f"{k}: {identity[k]}" for k in sorted(identity)) or str(findings.embedder))
        )
    return rows


def content_hash(study: Study) -> str:
    """Of texts, counted answers and scores by their keys, whatever database they lie in."""
    seat = "judgment__assignment__"
    answers = Answer.objects.filter(criterion__study=study, judgment__in=Judgment.objects.counted())
    answers = answers.exclude(planted(f"{seat}item__item_responses__response__"))
    who = (f"{seat}item__key", f"{seat}annotator__key", "criterion__key", "response__key")
    scores = Score.objects.filter(run__study=study, run__in=ScoreRun.objects.audited()).in_pool()
    what = ("run__scorer", "run__version", "response__key")
    responses = study.responses.in_pool().order_by("key")
    tables: list[Iterable[Any]] = [
        responses.values_list("key", "prompt__key", "source", "text"),
        answers.order_by(*who).values_list(*who, "other__key", "value", "label"),
        scores.order_by(*what).values_list(*what, "value"),
    ]
    digest = hashlib.sha256()
    for rows in tables:
        for row in rows:
            digest.update(repr(row).encode())
    return digest.hexdigest()[:32]
