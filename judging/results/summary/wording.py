"""The report's sentences: verdicts with their numbers, and its limitations."""

from annotate.models import Study
from judging.models import PoolSummary
from judging.results.audit.report import Row
from judging.results.homogeneity.over_prompts import Homogeneity
from judging.results.summary.findings import Findings
from judging.stats import Estimate, Underrating, Verdict
from judging.stats.audit.verdict import round_up
from judging.stats.audit.words import details, these_words
from judging.templatetags.figures import number, typeset


def sentence(row: Row) -> str:
    """The verdict on one scorer, to follow its name."""
    result, e = row.result, row.result.underrating
    if result.verdict is Verdict.CANT_TELL:
        return typeset(f"can’t tell. {_without_numbers(result)}")
    size = "" if e.estimate is None else f"{number(abs(e.estimate), 2)} SD"
    more = f"{_corrected(row)} {details(result)}".rstrip()
    if result.good_alone:
        return typeset(f"underrates good unusual answers. {result.reason}{_corrected(row)}")
    if result.verdict is Verdict.UNDERRATES:
        return typeset(
            f"underrates unusual answers: at equal human quality its score falls by {size} for each SD of "
            f"unusualness{_interval(result)}.{more}"
        )
    if result.verdict is Verdict.OVERRATES:
        return typeset(
            f"overrates unusual answers: at equal human quality its score rises by {size} for each SD of "
            f"unusualness{_interval(result, -1)}. {details(result)}"
        )
    if result.verdict is Verdict.NO_UNDERRATING:
        effect = f"{round_up(result.excluded_effect or 0.0):.2f} SD"
        return typeset(
            f"shows no sign of underrating: an effect of {effect} or more is unlikely; "
            f"estimate {_signed(e)}. {details(result)}"
        )
    if result.verdict is Verdict.DEPENDS:
        return typeset(f"depends on the shape. {result.reason}")
    estimate = "" if e.estimate is None else f": estimate {number(e.estimate, 2, '+')} SD"
    return typeset(f"stays open{estimate}. {result.reason}")


def _without_numbers(result: Underrating) -> str:
    """Why there is no verdict, and the verdict for the people of the study, in words that scorers share."""
    these = result.these_people
    why = result.reason.removesuffix(these_words(these)).strip()
    return why if these.reason == result.reason else f"{why} For {these.people}: {these.verdict}."


def _interval(result: Underrating, sign: int = 1) -> str:
    """The interval that decides and whom it speaks for; turned where the effect is."""
    if result.decisive is None:
        return ""
    low, high = sorted(sign * end for end in result.decisive)
    return f" (95 % interval {number(low, 2)} to {number(high, 2)}, for {result.people})"


def _corrected(row: Row) -> str:
    if row.is_baseline:
        return ""
    if row.discovery:
        return " Still significant after correcting for several scorers (false discovery rate 5 %)."
    return " With this many scorers it may be chance (not significant at a false discovery rate of 5 %)."


def _signed(e: Estimate) -> str:
    if e.estimate is None:
        return "undefined"
    inside = "" if e.low is None else f" (95 % interval {number(e.low, 2, '+')} to {number(e.high, 2, '+')})"
    return f"{number(e.estimate, 2, '+')}{inside}"


def limits(study: Study, findings: Findings | None, alike: Homogeneity | None) -> list[str]:
    """What can't be told, and why, in whole sentences."""
    lines = []
    if study.simulated:
        lines.append(
            "The annotators and scorers of this study are simulated: nothing here says anything of real people or "
            "machines."
        )
    if findings is not None:
        lines += _of_findings(study, findings)
    if alike is not None:
        lines += _of_likeness(alike)
    return lines


def _of_findings(study: Study, findings: Findings) -> list[str]:
    lines = []
    open_ = [f for f in findings.main if f.result.verdict is Verdict.CANT_TELL]
    if open_:
        n = len(findings.main)
        share = (
            f"none of the {n} scorers can" if len(open_) == n else f"{len(open_)} of the {n} scorers can’t"
        )
        lines.append(
            f"For people like these {share} be judged, the baseline "
            "included: the verdicts above say why, what would change it, and what holds for the people of this study."
        )
    result, embedder = findings.worst.result, findings.embedder
    if result.reliability is not None:
        lines.append(
            f"The mean of a response’s ratings has a reliability of {number(result.reliability, 2)} within prompts; "
            "the method allows for that noise, and the intervals widen with it."
        )
    thin = [f for f in findings.main if f.n_scored < f.n_pool]
    if thin:
        least = min(thin, key=lambda f: f.n_scored)
        lines.append(
            f"{len(thin)} of the {len(findings.main)} scorers did not score every response of the pool; the least, "
            f"{least.scorer}, {least.n_scored:,} of {least.n_pool:,}."
        )
    if findings.truncated:
        lines.append(
            f"{findings.truncated:,} responses are longer than the embedder reads: their ends are unseen."
        )
    lines.append(
        "Underrating is an association at equal human quality and length, not an effect of unusualness itself. What "
        "misleads annotators and machine alike (shared taste, shared guidelines) shows in neither."
    )
    if isinstance(embedder, PoolSummary):
        lines.append(
            f"Unusualness is against a larger pool: {embedder.n_responses:,} responses on disk, measured "
            f"{embedder.computed_at:%Y-%m-%d} by {embedder.name}. Measures that need vectors or texts are "
            "against this study’s own responses."
        )
    lines.append(
        f"Unusualness is what {embedder.scorer} sees of these pools. Another embedder or another pool is another "
        "measure; how far the finding holds with others of the same embedder is shown below."
    )
    return lines


def _of_likeness(alike: Homogeneity) -> list[str]:
    lines = []
    if alike.people.estimate is None:
        lines.append("How alike people would answer: the pool has no two answers of people to one prompt.")
    if not alike.humans:
        lines.append(
            "Whether the embedder sees similarity as people do: nobody was asked how alike two responses are."
        )
    if alike.unknown_languages:
        lines.append(
            f"How alike and how unusual the responses to the prompts in {', '.join(alike.unknown_languages)} are: "
            f"{alike.embedder} does not know "
            f"{'this language' if len(alike.unknown_languages) == 1 else 'these languages'}."
        )
    if alike.n_blank:
        lines.append(
            f"{alike.n_blank:,} responses are empty: to the embedder they are all alike, and they count."
        )
    if alike.n_missing:
        lines.append(f"{alike.n_missing:,} responses are not embedded and count in no cosine.")
    return lines
