"""The map of one prompt: small at once, texts when they are read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.core.paginator import Paginator
from django.db.models import Avg, Count, Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from annotate.models import Answer, Judgment, Prompt, Response, Role, Study
from annotate.views.access import for_members
from annotate.whole_numbers import whole
from judging.frames import pool
from judging.frames import tables as frames
from judging.frames.criteria import ratings
from judging.models import ScoreRun
from judging.results.cache import cached
from judging.results.figures import Figure
from judging.results.homogeneity.map_chart import Point, map_of
from judging.results.homogeneity.result import RESULT
from judging.results.result import NotEmbedded
from judging.results.views import fix_of

BEGINNING = 280
"""Characters of a response that are read beside the map; the rest when it is pinned."""

LISTED = 100


@dataclass(frozen=True, slots=True)
class Mapped:
    """`points` in the order of the figure's rows."""

    figure: Figure
    points: list[Point]


@require_GET
@for_members(Role.AUDITOR)
def prompt_map(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    prompt = get_object_or_404(study.prompts.in_pool(), pk=pk)
    run = frames.embedding_run(study)
    map_of_prompt = cached(study, f"map:{pk}", lambda: _mapped(prompt, run)) if run else None
    if run is None or map_of_prompt is None:
        why = (
            f"No response to this prompt is embedded yet: run `manage.py score {study.slug} --scorer minilm`."
        )
        return render(
            request,
            RESULT.template,
            {"study": study, "tab": RESULT.name, "why": why, "fix": fix_of(study, NotEmbedded(why))},
        )
    part = request.GET.get("part")
    if part == "texts":
        return JsonResponse(_beginnings(prompt.responses.filter(pk__in=[p.pk for p in map_of_prompt.points])))
    if part == "picture":
        return HttpResponse(map_of_prompt.figure.svg_file, content_type="image/svg+xml")
    if part == "csv":
        return HttpResponse(map_of_prompt.figure.csv, content_type="text/csv; charset=utf-8")
    pinned = _pinned(request, prompt, map_of_prompt.points, run)
    if part == "pinned":
        return render(request, "judging/results/pinned.html", {"study": study, "pinned": pinned})
    context = {
        "study": study,
        "prompt": prompt,
        "run": run,
        "map": map_of_prompt,
        "pinned": pinned,
        "unknown": [code for code in run.unknown_languages() if code == prompt.language],
    }
    return render(
        request, "judging/results/prompt_map.html", context | _listed(request, map_of_prompt.points)
    )


def _mapped(prompt: Prompt, run: ScoreRun) -> Mapped | None:
    part = next(pool.embedded(run, prompt), None)
    if part is None:
        return None
    keys = dict(prompt.responses.values_list("pk", "key"))
    rated = human_means(prompt)
    points = [
        Point(pk, keys[pk], source, *rated.get(pk, (None, 0)))
        for pk, source in zip(part.response_ids, part.sources, strict=True)
    ]
    figure = map_of(prompt.text, points, part.vectors, str(run))
    figure.spec  # noqa: B018 - made once, and kept with the figure
    return Mapped(figure, points)


def human_means(prompt: Prompt) -> dict[int, tuple[float, int]]:
    """Mean of the counted ratings of quality of one prompt's responses, and how many there are."""
    criterion = next(iter(ratings(prompt.study)), None)
    if criterion is None:
        return {}
    rows = (
        Answer.objects.filter(criterion=criterion, judgment__in=Judgment.objects.counted())
        .filter(judgment__assignment__item__role__in=frames.COUNTED_ROLES)
        .filter(judgment__assignment__item__withheld=False, response__prompt=prompt)
        .values_list("response_id")
        .annotate(mean=Avg("value"), n=Count("value", filter=Q(value__isnull=False)))
    )
    return {pk: (mean, n) for pk, mean, n in rows if mean is not None and pk is not None}


def _beginnings(responses: Any) -> dict[str, str]:
    return {str(pk): _beginning(text) for pk, text in responses.values_list("pk", "text")}


def _beginning(text: str) -> str:
    return text if len(text) <= BEGINNING else text[: BEGINNING - 1].rstrip() + "…"


def _listed(request: HttpRequest, points: list[Point]) -> dict[str, Any]:
    """A page of the list, with the beginnings of its texts."""
    page = Paginator(points, LISTED).get_page(request.GET.get("page"))
    begins = _beginnings(Response.objects.filter(pk__in=[p.pk for p in page]))
    query = request.GET.copy()
    query.pop("page", None)
    return {"page": page, "listed": [(p, begins[str(p.pk)]) for p in page], "query": query.urlencode()}


def _pinned(request: HttpRequest, prompt: Prompt, points: list[Point], run: ScoreRun) -> dict[str, Any]:
    """Up to two responses side by side, and how alike the embedder finds them."""
    there = {p.pk for p in points}
    chosen = [whole(request.GET.get(name, "")) for name in ("a", "b")]
    wanted = [pk for pk in chosen if pk in there]
    texts = prompt.responses.in_bulk(wanted)
    return {
        "responses": [texts[pk] for pk in wanted],
        "cosine": _cosine(run, wanted) if len(wanted) == 2 else None,
        "embedder": str(run),
        "prompt": prompt,
    }


def _cosine(run: ScoreRun, two: list[int]) -> float:
    rows = dict(run.embeddings.filter(response__in=two).values_list("response_id", "vector"))
    one, other = (np.frombuffer(bytes(rows[pk]), dtype=run.dtype).astype(np.float64) for pk in two)
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
