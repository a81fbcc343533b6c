"""Items: made from the pool, planted by hand, repeated, and taken back."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Prefetch, ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from annotate import planting
from annotate.counting import counted
from annotate.expected import EXPLAIN
from annotate.forms import DesignForm, PlanForm, PlantForm, RepeatForm
from annotate.kinds import AnswerError, ItemKind, kind_of
from annotate.models import Assignment, Criterion, Item, ItemResponse, Role, Study
from annotate.readiness import CALLED
from annotate.setup_steps import next_step
from annotate.views.access import for_members
from annotate.views.desk import posted
from annotate.views.desk_criteria import PreviewQuestion
from annotate.whole_numbers import whole
from annotate.workload import Workload, workload

PER_PAGE = 50
# A set written by hand; one from the pool may be larger.
LARGEST_PLANTED = 6


@require_http_methods(["GET", "POST"])
@for_members(Role.RESEARCHER)
def items(request: HttpRequest, study: Study) -> HttpResponse:
    """What there is, and the forms that make more of it."""
    if "how" in request.POST:
        form = DesignForm(posted(request))
        if form.is_valid():
            _make(request, study, form)
            return redirect("items", study.slug)
        return _page(request, study, form=form)
    plan = PlanForm(posted(request), study=study)
    if request.htmx:  # type: ignore[attr-defined]
        return render(
            request, "annotate/desk_workload.html", {"study": study, "workload": _workload(study, plan)}
        )
    if plan.is_bound and plan.is_valid() and "estimate" not in request.POST:
        _make_plan(request, study, plan)
        return redirect(
            next_step(study) if study.status == Study.Status.DRAFT else reverse("items", args=[study.slug])
        )
    return _page(request, study, plan=plan)


def _workload(study: Study, plan: PlanForm) -> Workload | None:
    """Of the plan as it is filled in, or as it is proposed."""
    if not plan.is_bound:
        plan = PlanForm({name: plan[name].initial for name in plan.fields}, study=study)
    if not plan.is_valid():
        return None
    planned = planting.planned(study, plan.orders)
    return workload(study, planned, plan.cleaned_data["seats"], plan.cleaned_data["pay"])


def _make_plan(request: HttpRequest, study: Study, plan: PlanForm) -> None:
    with transaction.atomic():
        planting.set_seats(study, plan.cleaned_data["seats"])
        n = sum(planting.make_items(study, order) for order in plan.orders)
    if n:
        messages.success(request, f"Made: {n:,} {'item' if n == 1 else 'items'}, with seats.")
    else:
        messages.warning(request, "Nothing new: the pool has no more.")


def _page(request: HttpRequest, study: Study, **forms: Any) -> HttpResponse:
    rows = _rows(study, request.GET.get("role", ""))
    plan = forms.get("plan") or PlanForm(study=study)
    context = {
        "study": study,
        "form": DesignForm(),
        "repeat": RepeatForm(),
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "role": request.GET.get("role", ""),
        "table": _table(study),
        "pool": study.responses.in_pool().filter(held_back="").count(),
        "workload": _workload(study, plan),
    }
    wrong = any(form.errors for form in forms.values())
    return render(
        request, "annotate/desk_items.html", context | {"plan": plan} | forms, status=422 if wrong else 200
    )


def _rows(study: Study, role: str) -> QuerySet[Item]:
    links = ItemResponse.objects.order_by("position").select_related("response").defer("response__text")
    rows = study.items.order_by("pk").select_related("prompt", "repeat_of")
    if role in Item.Role.values:
        rows = rows.filter(role=role)
    n = counted(Assignment.objects.submitted(), "item")
    return rows.annotate(n=n).prefetch_related(Prefetch("item_responses", links))


def _table(study: Study) -> list[dict[str, Any]]:
    """Items by kind and role."""
    rows = study.items.order_by().values_list("kind", "role").annotate(n=Count("pk"))
    counts = {(kind, role): n for kind, role, n in rows}
    there = {kind for kind, _ in counts}
    return [
        {"kind": kind.label.lower(), "counts": [counts.get((kind.value, r), 0) for r in Item.Role.values]}
        for kind in ItemKind
        if kind.value in there
    ]


def _make(request: HttpRequest, study: Study, form: DesignForm) -> None:
    data = form.cleaned_data
    order = planting.Wanted(data["how"], data["each"], data["size"] or 2, data["delta"] or 0.0)
    n = planting.make_items(study, order)
    if n:
        messages.success(request, f"Made: {n:,} {'item' if n == 1 else 'items'}, with seats.")
    elif order.how == "equal":
        messages.warning(
            request,
            "No pair of rated responses is that close: collect ratings of single responses first, "
            "or allow a larger difference.",
        )
    else:
        messages.warning(request, "Nothing new: the pool has no more.")


@require_POST
@for_members(Role.RESEARCHER)
def repeat(request: HttpRequest, study: Study) -> HttpResponse:
    form = RepeatForm(posted(request))
    if not form.is_valid():
        return _page(request, study, repeat=form)
    n = planting.add_repeats(study, form.cleaned_data["share"] / 100, ItemKind.values)
    messages.success(request, f"Added: {n:,} {'repeat' if n == 1 else 'repeats'}.")
    return redirect("items", study.slug)


@require_POST
@for_members(Role.RESEARCHER)
def remove(request: HttpRequest, study: Study) -> HttpResponse:
    """Remove selected items, or all of a role, if nobody has judged them."""
    if role := request.POST.get("role", ""):
        chosen = list(study.items.filter(role=role).values_list("pk", flat=True))
    else:
        chosen = [pk for text in request.POST.getlist("item") if (pk := whole(text)) is not None]
        chosen = list(study.items.filter(pk__in=chosen).values_list("pk", flat=True))
    try:
        n = planting.remove_items(study, chosen)
    except ProtectedError:
        messages.error(request, "Nothing was removed: some of these items have machine scores.")
        return redirect("items", study.slug)
    kept_items = len(chosen) - n
    stayed = (
        f" {kept_items:,} could not be removed: people have judged them or have them open."
        if kept_items > 0
        else ""
    )
    messages.success(request, f"Removed: {n:,}.{stayed}")
    return redirect("items", study.slug)


@require_http_methods(["GET", "POST"])
@for_members(Role.RESEARCHER)
def plant(request: HttpRequest, study: Study) -> HttpResponse:
    """Write a practice or gold item, and answer it as it should be answered."""
    kind, size = _shape(request.GET)
    criteria = [c for c in study.criteria.all() if c.on == kind]
    form = PlantForm(posted(request), size=size)
    expected, problems = _expected(criteria, size, request.POST)
    if request.method == "POST" and form.is_valid() and not problems:
        if expected:
            item = planting.plant(study, _plant(form, kind, expected))
            messages.success(request, f"Added: {item.key}.")
            return redirect("items", study.slug)
        form.add_error(None, "Answer at least one question: without an expected answer, nobody can pass it.")
    context = {
        "study": study,
        "form": form,
        "kind": kind,
        "kinds": CALLED.items(),
        "called": CALLED[kind.value],
        "size": size,
        "sizes": range(3, LARGEST_PLANTED + 1),
        **_questions(criteria, size, request.POST, problems),
    }
    wrong = request.method == "POST"
    return render(request, "annotate/desk_plant.html", context, status=422 if wrong else 200)


def _shape(query: QueryDict) -> tuple[ItemKind, int]:
    name, size = query.get("kind", ""), query.get("size", "")
    kind = ItemKind(name) if name in ItemKind.values else ItemKind.SINGLE
    if kind is ItemKind.SET:
        return kind, min(max(whole(size) or 3, 3), LARGEST_PLANTED)
    return kind, kind.sizes[0]


def _expected(criteria: list[Criterion], size: int, sent: QueryDict) -> tuple[dict[str, Any], dict[str, str]]:
    """The answers given, by criterion; and the problems with them."""
    expected, problems = dict[str, Any](), dict[str, str]()
    tolerance = sent.get("tolerance", "0")
    near = whole(tolerance) or 0
    for criterion in criteria if sent else ():
        # Nothing has to be expected of any one question.
        criterion.required = False
        try:
            rows = kind_of(criterion).read(criterion, sent, range(1, size + 1))
        except AnswerError as error:
            problems[criterion.key] = f"Expected {error.expected}."
            continue
        if (value := kind_of(criterion).expectation(criterion, rows, near)) is not None:
            expected[criterion.key] = value
    return expected, problems


def _plant(form: PlantForm, kind: ItemKind, expected: dict[str, Any]) -> planting.Plant:
    data = form.cleaned_data
    texts = [data[field.name] for field in form.texts]
    return planting.Plant(data["role"], kind, data["prompt"], texts, expected, data["explain"])


def _questions(
    criteria: list[Criterion], size: int, sent: QueryDict, problems: dict[str, str]
) -> dict[str, Any]:
    controls = []
    for criterion in criteria:
        criterion.required = True
        for question in kind_of(criterion).questions(criterion, range(1, size + 1)):
            chosen = sent.get(question.field, "")
            controls.append(PreviewQuestion(criterion, question, chosen, problems.get(criterion.key, "")))
    return {"controls": controls, "explain": EXPLAIN}
