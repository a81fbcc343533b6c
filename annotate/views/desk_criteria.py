"""What a study asks: criteria, and how each looks to an annotator."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate import trail
from annotate.forms import CLONE_INSTEAD, USUAL, CriterionForm
from annotate.kinds import KINDS, ItemKind, Question, kind_of
from annotate.models import Action, Criterion, Role, Study
from annotate.views.access import for_members
from annotate.views.desk import judged, posted

SIZES = {ItemKind.SINGLE: 1, ItemKind.PAIR: 2, ItemKind.SET: 3}
SAMPLE_PROMPT = "Write one sentence about time."
SAMPLES = [
    "Time is a river, and we are the stones it wears smooth.",
    "Nobody has ever seen time; we only see what it has taken.",
    "Yesterday was a minute ago, and so is next year.",
]


@dataclass(frozen=True, slots=True)
class PreviewQuestion:
    """A question as a task page draws it."""

    criterion: Criterion
    question: Question
    chosen: str = ""
    problem: str = ""


def sample(study: Study, size: int) -> tuple[str, list[str]]:
    """A prompt and responses to show a question with: the study's own, where there are enough."""
    prompt = study.prompts.in_pool().exclude(responses=None).order_by("pk").first()
    if prompt is not None:
        texts = list(prompt.responses.in_pool().order_by("pk").values_list("text", flat=True)[:size])
        if len(texts) == size:
            return prompt.text, texts
    return SAMPLE_PROMPT, SAMPLES[:size]


def drawn(study: Study, criterion: Criterion, chosen: dict[str, str] | None = None) -> dict[str, Any]:
    """What the preview of a criterion shows, with responses numbered from 1."""
    size = SIZES[ItemKind(criterion.on)]
    prompt, texts = sample(study, size)
    controls = [
        PreviewQuestion(criterion, question, (chosen or {}).get(question.field, ""))
        for question in kind_of(criterion).questions(criterion, range(1, size + 1))
    ]
    cards = [
        {"number": n, "text": text, "controls": [a for a in controls if a.question.response == n]}
        for n, text in enumerate(texts, 1)
    ]
    return {
        "on": criterion.on,
        "prompt": prompt,
        "cards": cards,
        "controls": [a for a in controls if a.question.response is None],
        "shared": criterion.text if kind_of(criterion).per_response and size > 1 else "",
    }


@require_safe
@for_members(Role.RESEARCHER)
def criteria(request: HttpRequest, study: Study) -> HttpResponse:
    context = {"study": study, "criteria": list(study.criteria.all()), "judged": judged(study)}
    return render(request, "annotate/desk_criteria.html", context)


@require_http_methods(["GET", "POST"])
@for_members(Role.RESEARCHER)
def criterion(request: HttpRequest, study: Study, pk: int | None = None) -> HttpResponse:
    """Add a criterion, or change one."""
    stored = get_object_or_404(Criterion, study=study, pk=pk) if pk else None
    n = judged(study)
    form = _form(request, study, stored, locked=bool(n))
    if request.method == "POST" and form.is_valid():
        _store(study, form)
        messages.success(request, "Saved.")
        return redirect("criteria", study.slug)
    wrong = request.method == "POST"
    drafted = form.drafted() if form.is_bound else _initial(study, form)
    context = {"study": study, "form": form, "stored": pk, "judged": n, "locked": CLONE_INSTEAD}
    context["preview"] = drawn(study, drafted) if drafted else None
    return render(request, "annotate/desk_criterion.html", context, status=422 if wrong else 200)


def _form(request: HttpRequest, study: Study, stored: Criterion | None, *, locked: bool) -> CriterionForm:
    first = {"kind": next(iter(KINDS)), "on": "single", "scale_low": 1, "scale_high": 5, "measures": USUAL}
    initial = None if stored else first
    return CriterionForm(posted(request), instance=stored, initial=initial, study=study, locked=locked)


def _initial(study: Study, form: CriterionForm) -> Criterion | None:
    """The criterion of a form that nobody has touched."""
    first = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    values = {name: "" if value is None else value for name, value in first.items()}
    return CriterionForm(values, study=study).drafted()


def _store(study: Study, form: CriterionForm) -> None:
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        before = study.criteria.filter(pk=form.instance.pk).first()
        if before is None:
            last = study.criteria.order_by("-position").first()
            form.instance.position = last.position + 1 if last else 0
        form.save()
        changed = trail.differences(before or Criterion(study=study), form.instance)
        if changed:
            trail.record(study, Action.CHANGED, f"criterion {form.instance}", **changed)


@require_POST
@for_members(Role.RESEARCHER)
def preview(request: HttpRequest, study: Study) -> HttpResponse:
    """The question as it is typed so far, as the annotator will see it."""
    drafted = CriterionForm(posted(request), study=study).drafted()
    context = {"study": study, "preview": drawn(study, drafted) if drafted else None}
    return render(request, "annotate/desk_preview.html", context)


@require_POST
@for_members(Role.RESEARCHER)
def move(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    """One place up or down."""
    with transaction.atomic():
        line = list(study.criteria.select_for_update().order_by("position"))
        at = next((n for n, c in enumerate(line) if c.pk == pk), None)
        to = None if at is None else at + (-1 if request.POST.get("to") == "up" else 1)
        if at is not None and to is not None and 0 <= to < len(line):
            _swap(line[at], line[to])
            trail.record(study, Action.CHANGED, f"criterion {line[at]}", place=[at + 1, to + 1])
    return redirect("criteria", study.slug)


def _swap(one: Criterion, other: Criterion) -> None:
    # Positions are unique at every moment, so one of them steps aside.
    aside = max(one.position, other.position) + 1_000
    for criterion, position in ((one, aside), (other, one.position), (one, other.position)):
        Criterion.objects.filter(pk=criterion.pk).update(position=position)


@require_POST
@for_members(Role.RESEARCHER)
def remove(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    criterion = get_object_or_404(Criterion, study=study, pk=pk)
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        if judged(study):
            messages.error(request, CLONE_INSTEAD)
        else:
            criterion.delete()
            trail.record(study, Action.CHANGED, f"criterion {criterion}", removed=True)
            messages.success(request, f"Removed: {criterion.key}.")
    return redirect("criteria", study.slug)
