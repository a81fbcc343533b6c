"""How many annotators a study needs, from the present ones and before there are any."""

import statistics

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotate.counting import counted
from annotate.models import Annotator, Criterion, Response, Role, Study
from annotate.views.access import for_members
from judging.results.agreement import has_units
from judging.results.cache import cached, cached_by
from judging.results.figures import Figure
from judging.results.planning import report as plans
from judging.results.planning.charts import reliabilities, widths
from judging.results.table import Column, Table

PROMPTS_COUNTED = 1000

FIELDS = {
    "prompts": "Prompts",
    "responses": "Responses of each",
    "ratings": "Ratings of each response",
    "annotators": "Annotators in all",
    "correlation": "Correlation of quality and unusualness",
    "reliability": "Reliability of one rating",
}


@require_GET
@for_members(Role.AUDITOR)
def planning(request: HttpRequest, study: Study) -> HttpResponse:
    criteria = [c for c in study.criteria.all() if has_units(c)]
    target, problem = _target(request.GET)
    context: dict[str, object] = {
        "study": study,
        "tab": "planning",
        "criteria": criteria,
        "target": target,
        "target_problem": problem,
        **_before(request.GET, study),
    }
    if criteria:
        context |= _from_data(study, _chosen(criteria, request.GET.get("criterion", "")), target)
    return render(request, "judging/results/planning.html", context)


def _chosen(criteria: list[Criterion], key: str) -> Criterion:
    return next((c for c in criteria if c.key == key), criteria[0])


def _target(query: QueryDict) -> tuple[float, str]:
    """The target reliability, or the default and what is wrong with the one that was sent."""
    raw = query.get("target", "").strip()
    try:
        target = float(raw.replace(",", ".")) if raw else plans.TARGET
    except ValueError:
        target = 0.0
    if 0.1 <= target <= 0.99:
        return target, ""
    return plans.TARGET, f"The target must lie between 0.1 and 0.99, not “{raw}”."


def _from_data(study: Study, criterion: Criterion, target: float) -> dict[str, object]:
    curve = cached(study, f"curve:{criterion.pk}", lambda: plans.curve(criterion))
    return {
        "curve": curve,
        "points": _points(curve),
        "figures": cached(study, f"curve-figures:{criterion.pk}", lambda: _figures(curve)),
        "sentence": plans.sentence(curve, target) if curve.points else "",
    }


def _points(curve: plans.Curve) -> Table:
    columns: list[Column[plans.Point]] = [
        Column("k", "Annotators an item", lambda p: p.k),
        Column("reliability", "Reliability of the mean", lambda p: p.reliability),
        Column("alpha_width", f"Width of alpha’s interval ({curve.level})", lambda p: p.alpha_width),
        Column("mean_width", "Width of a mean’s interval", lambda p: p.mean_width),
    ]
    title = f"Means of 5 draws from {curve.n_annotators:,} annotators; the same items in every row"
    return Table.of("points", title, columns, curve.points)


def _figures(curve: plans.Curve) -> list[Figure]:
    if not any(p.reliability.estimate is not None for p in curve.points):
        return []
    return [figure(curve.points).drawn() for figure in (reliabilities, widths)]


def _before(query: QueryDict, study: Study) -> dict[str, object]:
    """The form's fields as sent or as the study is, and the plan or what is wrong with the numbers."""
    is_sent = "prompts" in query
    values = {name: query.get(name, "").strip() for name in FIELDS} if is_sent else _as_it_is(study)
    fields = [(name, label, values[name]) for name, label in FIELDS.items()]
    if not is_sent:
        return {"fields": fields}
    try:
        design = _design(values)
    except plans.PlanError as error:
        return {"fields": fields, "plan_problem": str(error)}
    return {"fields": fields, "plan": cached_by("plan", design, lambda: plans.plan(design))}


def _design(values: dict[str, str]) -> plans.Design:
    whole = {n: _number(n, values[n]) for n in ("prompts", "responses", "annotators", "ratings")}
    for name, value in whole.items():
        if not value.is_integer():
            raise plans.PlanError(name, "a whole number", values[name])
    return plans.Design(
        **{name: int(value) for name, value in whole.items()},
        correlation=_number("correlation", values["correlation"]),
        reliability=_number("reliability", values["reliability"]),
    )


def _number(name: str, raw: str) -> float:
    try:
        number = float(raw.replace(",", ".").replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        raise plans.PlanError(name, "a number", f"“{raw}”") from None
    if not abs(number) < 1e9:
        raise plans.PlanError(name, "a number below 1,000,000,000", raw)
    return number


def _as_it_is(study: Study) -> dict[str, str]:
    """The study's own numbers, to start from."""
    answered = study.prompts.filter(Exists(Response.objects.in_pool().filter(prompt=OuterRef("pk"))))
    # Enough prompts for a typical number: counting all of very many takes longer than the page should.
    some = answered.order_by("pk").annotate(n=counted(Response.objects.in_pool(), "prompt"))
    pools = list(some.values_list("n", flat=True)[:PROMPTS_COUNTED])
    people = Annotator.objects.filter(study=study, excluded="").count()
    return {
        "prompts": str(max(2, answered.count())),
        "responses": str(max(2, round(statistics.median(pools)))) if pools else "15",
        "ratings": str(max(2, study.seats)),
        "annotators": str(max(people, study.seats, 3)),
        "correlation": "-0.4",
        "reliability": "0.12",
    }
