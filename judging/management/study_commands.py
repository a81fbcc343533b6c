"""What commands about one study have in common."""

from django.core.management.base import CommandError

from annotate.models import Study
from judging.stats import Estimate


def study_named(slug: str) -> Study:
    study = Study.objects.filter(slug=slug).first()
    if study is None:
        raise CommandError(f"no study with slug {slug!r}")
    return study


def shown(e: Estimate) -> str:
    """An estimate with its interval, or why there is none."""
    if e.estimate is None:
        return f"undefined ({e.reason})"
    interval = f"[{e.low:.3f}, {e.high:.3f}]" if e.low is not None else f"(no interval: {e.reason})"
    return f"{e.estimate:.3f} {interval}"
