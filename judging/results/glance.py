"""A study at a glance: the verdict and the agreement in a sentence each, for the study's own page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotate.models import Role, Study
from annotate.views.access import for_members
from judging.results.agreement import so_far
from judging.results.audit.headline import headline
from judging.results.audit.options import DEFAULTS
from judging.results.audit.result import RESULT as AUDIT
from judging.results.cache import cached_a_minute, exclusions
from judging.results.result import NotComputable
from judging.results.summary.report import cached_report


@require_GET
@for_members(Role.AUDITOR)
def glance(request: HttpRequest, study: Study) -> HttpResponse:
    agreement = cached_a_minute(study, "so-far", lambda: so_far(study), exclusions(study))
    context = {"study": study, "verdict": _verdict(study), "agreement": agreement.value}
    return render(request, "judging/results/glance.html", context)


def _verdict(study: Study) -> str:
    """The report's first sentence, by the shortest way to it."""
    try:
        of_audit = headline(AUDIT.cached(study, DEFAULTS).rows)
    except NotComputable:
        of_audit = ""
    return of_audit or cached_report(study).headline
