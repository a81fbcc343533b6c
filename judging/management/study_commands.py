"""What commands about one study have in common."""

from django.core.management.base import CommandError

from annotate.models import Study


def study_named(slug: str) -> Study:
    study = Study.objects.filter(slug=slug).first()
    if study is None:
        raise CommandError(f"no study with slug {slug!r}")
    return study
