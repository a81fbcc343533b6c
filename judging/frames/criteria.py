"""Which of a study's criteria is what: decided here, and nowhere else."""

from annotate.kinds import ItemKind, Measure, kind_of, names_of
from annotate.models import Criterion, Study


def ratings(study: Study, measure: str = Measure.QUALITY) -> list[Criterion]:
    """The ratings that measure it, of whatever items, in the study's order."""
    return list(study.criteria.filter(kind__in=names_of("rates"), measures=measure).order_by("position"))


def quality_ratings(study: Study) -> list[Criterion]:
    """The ratings of single responses that measure quality: what a scorer of responses is held against."""
    return [criterion for criterion in ratings(study) if criterion.on == ItemKind.SINGLE]


def quality_in_sets(study: Study) -> list[Criterion]:
    """What orders the responses of a set or pair by quality: ratings of it, and rankings that measure nothing else."""
    good = ("", Measure.QUALITY)
    rated = [criterion for criterion in ratings(study) if criterion.on != ItemKind.SINGLE]
    ranked = [c for c in study.criteria.order_by("position") if kind_of(c).ranks and c.measures in good]
    return [*rated, *ranked]
