"""The report's sentences: verdicts with their numbers, and what can't be told."""

from collections.abc import Sequence

from annotate.models import Study
from judging.findings import Finding, Findings
from judging.homogeneity import Homogeneity
from judging.models import PoolSummary
from judging.stats import Estimate, Verdict
from judging.templatetags.figures import number


def sentence(finding: Finding) -> str:
    """The verdict on one scorer, to follow its name."""
    result, e = finding.result, finding.result.underrating
    interval = "" if e.low is None else f" (95 % interval {number(e.low, 2)} to {number(e.high, 2)})"
    size = "" if e.estimate is None else f"{number(abs(e.estimate), 2)} SD"
    borderline = (
        " The evidence is borderline: more annotators would make it firmer." if result.borderline else ""
    )
    if result.verdict is Verdict.UNDERRATES:
        return (
            f"underrates unusual answers: at equal human quality its score falls by {size} for each SD of "
            f"unusualness{interval}.{_corrected(finding)}{borderline}"
        )
    if result.verdict is Verdict.OVERRATES:
        return (
            f"overrates unusual answers: at equal human quality its score rises by {size} for each SD of "
            f"unusualness{_turned(e)}.{borderline}"
        )
    if result.verdict is Verdict.NO_UNDERRATING:
        return f"is acquitted as far as these data reach: {result.verdict_text}; estimate {_signed(e)}.{borderline}"
    if result.verdict is Verdict.UNDERPOWERED:
        return f"stays open: estimate {_signed(e)}. {result.reason}"
    return f"can’t be told. {result.reason}"


def _corrected(finding: Finding) -> str:
    if finding.baseline:
        return ""
    if finding.discovery:
        return " It stands among all scorers (false discovery rate 5 %)."
    return " Among so many scorers it may be chance (it does not stand at a false discovery rate of 5 %)."


def _turned(e: Estimate) -> str:
    if e.low is None or e.high is None:
        return ""
    return f" (95 % interval {number(-e.high, 2)} to {number(-e.low, 2)})"


def _signed(e: Estimate) -> str:
    if e.estimate is None:
        return "undefined"
    inside = "" if e.low is None else f" (95 % interval {number(e.low, 2, '+')} to {number(e.high, 2, '+')})"
    return f"{number(e.estimate, 2, '+')}{inside}"


def verdict_line(accused: Sequence[str], acquitted: Sequence[str], n_open: int, n: int) -> str:
    """The headline."""
    if not accused and not acquitted:
        what = "this scorer underrates" if n == 1 else f"any of the {n} scorers underrates"
        return f"Whether {what} unusual answers can’t be told from these ratings"
    parts = []
    if accused:
        named = f" ({accused[0]})" if len(accused) == 1 and n > 1 else ""
        verb = "marks" if len(accused) == 1 else "mark"
        who = accused[0] if n == 1 else f"{len(accused)} of {n} scorers{named}"
        parts.append(f"{who} {verb} down unusual answers that people find as good")
    if acquitted:
        verb = "does" if len(acquitted) == 1 else "do"
        who = (
            f"{len(acquitted)} {verb} not, as far as can be seen"
            if accused
            else (
                f"{acquitted[0]} does not mark"
                if n == 1
                else f"{len(acquitted)} of {n} scorers {verb} not mark"
            )
            + " unusual answers down, as far as can be seen"
        )
        parts.append(who)
    if n_open:
        parts.append(f"of {n_open} nothing can be told")
    return "; ".join(parts)


def limits(study: Study, found: Findings | None, alike: Homogeneity | None) -> list[str]:
    """What can't be told, and why, in whole sentences."""
    said = []
    if study.simulated:
        said.append(
            "The annotators and scorers of this study are simulated: nothing here says anything of real people or "
            "machines."
        )
    if found is not None:
        said += _of_findings(study, found)
    if alike is not None:
        said += _of_likeness(alike)
    return said


def _of_findings(study: Study, found: Findings) -> list[str]:
    said = []
    open_ = [f for f in found.main if f.result.verdict is Verdict.CANT_TELL]
    if open_:
        names = ", ".join(f.scorer for f in open_[:8]) + (" and others" if len(open_) > 8 else "")
        said.append(
            f"Of {len(open_)} of {len(found.main)} scorers nothing can be told ({names}). {open_[0].result.reason}"
        )
    result = found.worst.result
    if result.reliability is not None:
        said.append(
            f"The mean of a response’s ratings has a reliability of {number(result.reliability, 2)} within prompts; "
            "the method allows for that noise, and the intervals widen with it."
        )
    thin = [f for f in found.main if f.n_scored < f.n_pool]
    if thin:
        least = min(thin, key=lambda f: f.n_scored)
        said.append(
            f"{len(thin)} scorers did not score every response; the least, {least.scorer}, {least.n_scored:,} of "
            f"{least.n_pool:,}."
        )
    if found.truncated:
        said.append(
            f"{found.truncated:,} responses are longer than the embedder reads: their ends are unseen."
        )
    unknown = found.embedder.unknown_languages()
    if unknown:
        said.append(f"The embedder does not know the language of some prompts ({', '.join(unknown)}).")
    said.append(
        "Underrating is an association at equal human quality and length, not an effect of unusualness itself. What "
        "misleads annotators and machine alike (shared taste, shared guidelines) shows in neither."
    )
    if isinstance(found.embedder, PoolSummary):
        said.append(
            f"Unusualness is against a larger pool: {found.embedder.n_responses:,} responses on disk, measured "
            f"{found.embedder.computed_at:%Y-%m-%d} by {found.embedder.name}. Measures that need vectors or texts are "
            "against this study’s own responses."
        )
    said.append(
        f"Unusualness is what {found.embedder.scorer} sees of these pools. Another embedder or another pool is another "
        "measure; how far the finding holds with others of the same embedder is shown below."
    )
    return said


def _of_likeness(alike: Homogeneity) -> list[str]:
    said = []
    if alike.people.estimate is None:
        said.append("How alike people would answer: the pool has no two answers of people to one prompt.")
    if not alike.humans:
        said.append(
            "Whether the embedder sees likeness as people do: nobody was asked how alike two responses are."
        )
    if alike.n_missing:
        said.append(f"{alike.n_missing:,} responses are not embedded and count in no cosine.")
    return said
