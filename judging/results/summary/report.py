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

from annotate.models import Answer, Judgment, Response, Study
from judging.frames import tables as frames
from judging.models import ScoreRun
from judging.release import CODE
from judging.results import audit
from judging.results.cache import kept
from judging.results.figures import Figure
from judging.results.homogeneity import report as likeness
from judging.results.homogeneity.charts import generations, heat_map, histograms
from judging.results.summary.charts import forest, side_by_side
from judging.results.summary.findings import Finding, Findings, findings
from judging.results.summary.sheets import Sheet, sheets
from judging.results.summary.wording import all_of, limits, sentence, verdict_line
from judging.stats import Verdict, most_underrated

FIVE = 5
QUESTION = "Do machines that grade answers mark down those that people find good but unusual?"


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
    limits: tuple[str, ...]
    figures: tuple[Figure, ...]
    sheets: tuple[Sheet, ...]
    provenance: tuple[tuple[str, str], ...]


def kept_report(study: Study) -> Report:
    return kept(study, "report", lambda: report(study))


def report(study: Study) -> Report:
    try:
        found: Findings | None = findings(study)
        why_none = ""
    except audit.AuditError as error:
        found, why_none = None, str(error)
    alike = _alike(study)
    worst = found.worst if found else None
    drawn = [figure.drawn() for figure in _figures(found, alike)]
    has_lead = found is not None and drawn and drawn[0].key == "scorers"
    lead = drawn[0] if has_lead or (drawn and not found) else None
    return Report(
        slug=study.slug,
        title=study.title,
        simulated=study.simulated,
        headline=_headline(found, alike, why_none),
        question=QUESTION,
        lede=_lede(study, found),
        why_none=why_none,
        embedder=alike.embedder if alike else "",
        unknown_languages=alike.unknown_languages if alike else (),
        says=_says(found) if found else (),
        lead=lead,
        five=_five(study, worst) if worst else (),
        five_of=worst.scorer if worst else "",
        five_scale="{} to {}".format(*worst.criterion.points[:: len(worst.criterion.points) - 1])
        if worst
        else "",
        limits=tuple(limits(study, found, alike)),
        figures=tuple(f for f in drawn if f is not lead),
        sheets=tuple(sheets(study, found, alike)),
        provenance=tuple(_provenance(study, found)),
    )


def _alike(study: Study) -> likeness.Homogeneity | None:
    try:
        return kept(study, "homogeneity", lambda: likeness.homogeneity(study))
    except likeness.HomogeneityError:
        return None


def _says(found: Findings) -> tuple[Says, ...]:
    """In order; scorers of which the same sentence is true share it."""
    same: dict[tuple[str, str, bool], list[str]] = {}
    for f in found.ordered(found.criteria[0]):
        same.setdefault((f.result.verdict.name.lower(), sentence(f), f.baseline), []).append(f.scorer)
    return tuple(Says(all_of(names), *told) for told, names in same.items())


def _headline(found: Findings | None, alike: likeness.Homogeneity | None, why_none: str) -> str:
    if found is None:
        if alike and alike.machines_less_people.low is not None and alike.machines_less_people.low > 0:
            return "Two machines answer the same prompt more alike than two people do"
        return "No scorer can be held against people here" if why_none else ""
    machines = [f for f in found.main if not f.baseline]
    if not machines:
        return "No scorer has scored these responses yet"
    told = {v: [f.scorer for f in machines if f.result.verdict is v] for v in Verdict}
    return verdict_line(
        told[Verdict.UNDERRATES], told[Verdict.NO_UNDERRATING], told[Verdict.OVERRATES], len(machines)
    )


def _lede(study: Study, found: Findings | None) -> str:
    if found is None:
        return ""
    result = found.worst.result
    return (
        f"{result.n_annotators:,} {'simulated annotators' if study.simulated else 'people'} gave "
        f"{result.n_ratings:,} ratings to {result.n_responses:,} responses to {result.n_prompts:,} prompts. "
        "Each scorer is asked: among answers that people find equally good and that are equally long, does the score "
        "fall as an answer becomes more unusual?"
    )


def _five(study: Study, worst: Finding) -> tuple[Read, ...]:
    """Unusual responses above their prompt's human mean and the middle of the scale, their score furthest below."""
    found = audit.sources(study)
    ratings = frames.answers(worst.criterion).drop_duplicates(["annotator_id", "response_id"])
    listed = most_underrated(ratings, audit.scored_pool(found, worst.scorer), len(found.pool))
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


def _figures(found: Findings | None, alike: likeness.Homogeneity | None) -> list[Figure]:
    drawn: list[Figure] = []
    if found:
        drawn.append(forest(found.main))
        drawn += [forest(found.of(c), f"scorers-{c.key}") for c in found.criteria[1:]]
        if found.measures:
            drawn.append(
                side_by_side(
                    found.measures,
                    "measures",
                    "Does it hang on how unusualness is measured?",
                    "The same slope with unusualness measured in several ways, for the scorers with the largest "
                    "estimates. Faint: not identified. A finding that only one measure makes is one of that measure.",
                )
            )
        if found.categories:
            drawn.append(
                side_by_side(
                    found.categories,
                    "categories",
                    "Does it hang on the kind of prompt?",
                    "The same slope within categories of prompts that have at least three. Faint: not identified; "
                    "few prompts tell little, and a difference between two categories is not tested here.",
                )
            )
    if alike:
        later = generations(alike)
        drawn += [histograms(alike), heat_map(alike)] + ([later] if later else [])
    return drawn


def _provenance(study: Study, found: Findings | None) -> list[tuple[str, str]]:
    project = tomllib.loads((Path(settings.BASE_DIR) / "pyproject.toml").read_text())["project"]
    runs = ScoreRun.objects.filter(study=study).audited().order_by("scorer", "version")
    rows = [
        ("Study", study.slug),
        ("Data, sha256", content_hash(study)),
        ("Seed", str(study.seed)),
        ("Offbeat", f"{project['version']}, code {CODE}"),
        ("Scorers", ", ".join(str(run) for run in runs) or "none"),
    ]
    if found:
        identity = found.embedder.identity
        rows.append(
            ("Embedder", ", ".join(f"{k}: {identity[k]}" for k in sorted(identity)) or str(found.embedder))
        )
    return rows


def content_hash(study: Study) -> str:
    """Of texts, counted answers and scores by their keys, whatever database they lie in."""
    seat, response = "judgment__assignment__", "scores__response__key"
    answers = Answer.objects.filter(criterion__study=study, judgment__in=Judgment.objects.counted())
    who = (f"{seat}item__key", f"{seat}annotator__key", "criterion__key", "response__key")
    runs = ScoreRun.objects.filter(study=study, scores__isnull=False).audited()
    responses = Response.objects.filter(study=study).order_by("key")
    tables: list[Iterable[Any]] = [
        responses.values_list("key", "prompt__key", "source", "text"),
        answers.order_by(*who).values_list(*who, "other__key", "value", "label"),
        runs.order_by("scorer", "version", response).values_list(
            "scorer", "version", response, "scores__value"
        ),
    ]
    digest = hashlib.sha256()
    for rows in tables:
        for row in rows:
            digest.update(repr(row).encode())
    return digest.hexdigest()[:32]
