"""Starting a test of a judge."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from annotate.models import Role, Study
from annotate.views.access import for_members
from annotate.views.desk import posted
from judging import tasks
from judging.results.judges.forms import ProbeForm
from judging.results.judges.result import RESULT
from judging.results.result import Options
from judging.results.views import page_context
from judging.runs import work as scoring


@require_POST
@for_members(Role.AUDITOR)
def try_judge(request: HttpRequest, study: Study) -> HttpResponse:
    form = ProbeForm(posted(request))
    if not form.is_valid():
        context = page_context(RESULT, request, study, Options()) | {"form": form}
        return render(request, RESULT.template, context, status=422)
    order = form.cleaned_data
    probe = {"responses": order["responses"], "repeats": order["repeats"]}
    try:
        tasks.enqueue(
            scoring.order(
                study, order["scorer"], probe=probe, asked_by=request.user, call_budget=order["call_budget"]
            )
        )
    except scoring.BusyError as error:
        messages.warning(request, f"{error}.")
    return redirect("runs", study.slug)
