"""The report: a first page for a reader with ten minutes, then everything it rests on.

The same study and seed give the same report, byte for byte, wherever they are loaded: nothing here depends on primary
keys, on the time of day or on the last bits of a number.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from annotate.models import Answer, Judgment, Response, Study
from judging import agreement as agreements
from judging import audit, frames
from judging import homogeneity as likeness
from judging.cached import CODE, kept
from judging.charts_homogeneity import heat_map, histograms
from judging.charts_report import forest, side_by_side
from judging.figures import Cell, Figure, rounded
from judging.findings import Compared, Finding, Findings, findings
from judging.models import ScoreRun
from judging.stats import Estimate, Verdict, most_underrated
from judging.wording import limits, sentence, verdict_line

FIVE = 5
QUESTION = "Do machines that grade answers mark down those that people find good but unusual?"


@dataclass(frozen=True, slots=True)
class Says:
    """One scorer's verdict in a sentence; `look` is its class on the page."""

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
class Sheet:
    """A table of the report's details, and a CSV file of its folder."""

    key: str
    title: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Report:
    slug: str
    title: str
    simulated: bool
    headline: str
    question: str
    lede: str
    why_none: str
    says: tuple[Says, ...]
    lead: Figure | None
    five: tuple[Read, ...]
    five_of: str
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
    drawn = _figures(found, alike)
    for figure in drawn:
        figure.svg  # noqa: B018 - drawn once, and kept with the report
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
        says=tuple(_says(f) for f in _ordered(found.main)) if found else (),
        lead=lead,
        five=_five(study, worst) if worst else (),
        five_of=worst.scorer if worst else "",
        limits=tuple(limits(study, found, alike)),
        figures=tuple(f for f in drawn if f is not lead),
        sheets=tuple(_sheets(study, found, alike)),
        provenance=tuple(_provenance(study, found)),
    )


def _alike(study: Study) -> likeness.Homogeneity | None:
    try:
        return kept(study, "homogeneity", lambda: likeness.homogeneity(study))
    except likeness.HomogeneityError:
        return None


def _ordered(rows: Sequence[Finding]) -> list[Finding]:
    """The accused first, the acquitted next, then what can't be told; the baseline last."""
    order = {Verdict.UNDERRATES: 0, Verdict.OVERRATES: 1, Verdict.NO_UNDERRATING: 2}
    return sorted(
        rows,
        key=lambda f: (
            f.baseline,
            order.get(f.result.verdict, 3),
            -(f.result.underrating.estimate or -99.0),
            f.scorer,
        ),
    )


def _says(finding: Finding) -> Says:
    return Says(finding.scorer, finding.result.verdict.name.lower(), sentence(finding), finding.baseline)


def _headline(found: Findings | None, alike: likeness.Homogeneity | None, why_none: str) -> str:
    if found is None:
        if alike and alike.machines_less_people.low is not None and alike.machines_less_people.low > 0:
            return "Two machines answer the same prompt more alike than two people do"
        return "No scorer can be held against people here" if why_none else ""
    machines = [f for f in found.main if not f.baseline]
    if not machines:
        return "No scorer has scored these responses yet"
    accused = [f for f in machines if f.result.verdict is Verdict.UNDERRATES]
    acquitted = [f for f in machines if f.result.verdict is Verdict.NO_UNDERRATING]
    open_ = len(machines) - len(accused) - len(acquitted)
    return verdict_line([f.scorer for f in accused], [f.scorer for f in acquitted], open_, len(machines))


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
    """Unusual responses above their prompt's human mean whose score lies furthest below."""
    found = audit.sources(study)
    ratings = frames.answers(worst.criterion).drop_duplicates(["annotator_id", "response_id"])
    listed = most_underrated(ratings, audit.scored_pool(found, worst.scorer), len(found.pool))
    if listed.empty:
        return ()
    middle = ratings.groupby("prompt_id")["value"].mean()
    liked = listed[listed["human_mean"].to_numpy() > listed["prompt_id"].map(middle).to_numpy()].head(FIVE)
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
                    "The same slope with unusualness measured three ways, for the scorers with the largest "
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
        drawn += [histograms(alike), heat_map(alike)]
    return drawn


def _three(e: Estimate) -> tuple[Cell, Cell, Cell]:
    return rounded(e.estimate), rounded(e.low), rounded(e.high)


def _sheets(study: Study, found: Findings | None, alike: likeness.Homogeneity | None) -> list[Sheet]:
    sheets = []
    if found:
        sheets.append(_scorers(found))
        sheets += [
            _compared(rows, key, title)
            for rows, key, title in (
                (found.measures, "measures", "Measures of unusualness"),
                (found.categories, "categories", "Categories of prompts"),
            )
            if rows
        ]
    sheets.append(_agreement(study))
    if alike:
        sheets += [_sources(alike), _prompts(alike)]
    return [s for s in sheets if s.rows]


def _scorers(found: Findings) -> Sheet:
    columns = (
        "scorer", "criterion", "verdict", "underrating", "low", "high", "p", "adjusted p", "naive slope",
        "strength", "smallest detectable", "reliability of the human mean", "prompts", "responses", "annotators", "why",
    )  # fmt: skip
    rows = [
        (
            f.scorer, f.criterion.key, f.result.verdict_text, *_three(f.result.underrating),
            rounded(f.result.p_one_sided), rounded(f.adjusted), rounded(f.result.naive.estimate),
            rounded(f.result.strength), rounded(f.result.smallest_detectable), rounded(f.result.reliability),
            f.result.n_prompts, f.result.n_responses, f.result.n_annotators,
            " ".join([f.result.reason, *f.result.notes]),
        )
        for c in found.criteria for f in _ordered(found.of(c))
    ]  # fmt: skip
    caption = (
        "p is of no underrating, one-sided; adjusted p by Benjamini and Hochberg over the scorers of a criterion "
        "that can be told of, without the baseline."
    )
    return Sheet("scorers-in-full", "Scorers in full", caption, columns, tuple(rows))


def _compared(found: Sequence[Compared], key: str, title: str) -> Sheet:
    columns = ("scorer", "by", "verdict", "underrating", "low", "high", "strength", "prompts", "responses")
    rows = [
        (c.scorer, c.name, c.result.verdict_text, *_three(c.result.underrating), rounded(c.result.strength),
         c.result.n_prompts, c.result.n_responses)
        for c in found
    ]  # fmt: skip
    return Sheet(
        f"{key}-in-full",
        title,
        "Underrating in SDs of the score per SD of unusualness.",
        columns,
        tuple(rows),
    )


def _agreement(study: Study) -> Sheet:
    columns = (
        "criterion",
        "level",
        "alpha",
        "low",
        "high",
        "reliability of the mean",
        "low",
        "high",
        "items",
        "annotators",
        "answers",
    )
    rows = [
        (
            e.criterion.key,
            e.level,
            *_three(e.alpha),
            *_three(e.reliability_of_mean),
            e.n_items,
            e.n_annotators,
            e.n_answers,
        )
        for e in kept(study, "agreement-in-brief", lambda: agreements.in_brief(study))
    ]
    caption = (
        "Krippendorff’s alpha and the reliability of the mean of all answers to an item, with 95 % intervals."
    )
    return Sheet("agreement", "How far annotators agree", caption, columns, tuple(rows))


def _sources(alike: likeness.Homogeneity) -> Sheet:
    columns = (
        "source", "responses", "within", "low", "high", "to other sources", "low", "high", "Vendi", "ideas",
        "4-grams others have", "duplicates elsewhere", "self-repetition", "with self-pairs (inflated)",
    )  # fmt: skip
    rows = [
        (s.name, s.n_responses, *_three(s.within), *_three(s.to_others), rounded(s.vendi.estimate),
         rounded(s.ideas.estimate), rounded(s.shared_grams.estimate), rounded(s.duplicates.estimate),
         rounded(s.self_repetition.estimate), rounded(s.inflated))
        for s in alike.sources
    ]  # fmt: skip
    caption = f"Cosines of {alike.embedder}, over the whole pool; Vendi score and ideas of {alike.equal_n} responses."
    return Sheet("sources-in-full", "Sources", caption, columns, tuple(rows))


def _prompts(alike: likeness.Homogeneity) -> Sheet:
    columns = (
        "prompt",
        "text",
        "all pairs",
        "same source",
        "different sources",
        "effective ideas",
        "compression",
        "responses",
    )
    rows = [
        (p.key, p.text, rounded(p.mean), rounded(p.within), rounded(p.between), rounded(p.effective_ideas),
         rounded(p.compression), p.n)
        for p in alike.prompts
    ]  # fmt: skip
    return Sheet(
        "prompts",
        "Prompts, from most to least alike",
        "Mean cosines within the prompt.",
        columns,
        tuple(rows),
    )


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
