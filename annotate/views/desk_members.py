"""Who belongs to a study: its owners add, change and remove members."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotate import members
from annotate.forms import MemberForm
from annotate.models import Role, Study
from annotate.views.access import for_members
from annotate.views.desk import posted

MAY = {
    Role.OWNER: "everything a researcher can do; also manages members and reads the trail",
    Role.RESEARCHER: "sets up the study, invites, monitors, excludes, exports",
    Role.AUDITOR: "sees results, but not who gave which answer",
}
ONE_OWNER = "A study needs an owner: make someone else an owner first."


@require_http_methods(["GET", "POST"])
@for_members(Role.OWNER)
def members_page(request: HttpRequest, study: Study) -> HttpResponse:
    form = MemberForm(posted(request), study=study)
    if request.method == "POST" and form.is_valid():
        members.add(study, form.cleaned_data["username"], Role(form.cleaned_data["role"]))
        messages.success(request, f"{form.cleaned_data['username']} is now a member.")
        return redirect("members", study.slug)
    rows = study.memberships.select_related("user").order_by("user__username")
    context = {"study": study, "form": form, "members": rows, "roles": MAY.items()}
    return render(request, "annotate/desk_members.html", context, status=422 if form.errors else 200)


@require_POST
@for_members(Role.OWNER)
def change_member(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    """Another role, or none."""
    membership = get_object_or_404(study.memberships.select_related("user"), pk=pk)
    role = request.POST.get("role", "")
    try:
        if role in Role.values:
            members.change(membership, Role(role))
            messages.success(request, f"{membership.user} is {role} now.")
        elif role == "none":
            members.remove(membership)
            messages.success(request, f"{membership.user} is no longer a member.")
        else:
            messages.error(request, f"There is no role “{role[:20]}”.")
    except members.LastOwnerError:
        messages.error(request, ONE_OWNER)
    gone = study.role_of(request.user) != Role.OWNER
    return redirect("studies") if gone else redirect("members", study.slug)
