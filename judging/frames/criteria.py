"""Which of a study's criteria is what: decided here, and nowhere else."""

from annotate.kinds import ItemKind, Measure, names_of
from annotate.models import Criterion, Study


def ratings(study: Study, measure: str = Measure.QUALITY) -> list[Criterion]:
    """The ratings that measure it, of whatever items, in the study's order."""
    return list(study.criteria.filter(kind__in=names_of("rates"), measures=measure).order_by("position"))


def quality_ratings(study: Study) -> list[Criterion]:
    """The ratings of single responses that measure quality: what a scorer of responses is held against."""
    return [criterion for criterion in ratings(study) if criterion.on == ItemKind.SINGLE]
