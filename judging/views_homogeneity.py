"""How alike the responses are: the whole pool, and the map of one prompt."""

from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Avg, Count, Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from annotate.kinds import Kind, Measure
from annotate.models import Answer, Judgment, Prompt, Response, Role, Study
from annotate.views.access import for_members
from judging import charts_homogeneity as charts
from judging import frames, on_disk, pool
from judging import homogeneity as likeness
from judging.cached import kept
from judging.figures import Figure
from judging.homogeneity_json import as_json
from judging.models import ScoreRun
from judging.stats.similarity import NEIGHBORS

BEGINNING = 280
"""Characters of a response that the map shows at once; the rest on a click."""


@require_GET
@for_members(Role.AUDITOR)
def homogeneity(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        found = kept(study, "homogeneity", lambda: likeness.homogeneity(study))
    except likeness.HomogeneityError as error:
        return _without(request, study, str(error))
    if request.GET.get("format") == "json":
        return JsonResponse(as_json(study, found))
    figures = kept(study, "homogeneity-figures", lambda: _figures(found))
    mixing = [
        {"n": n, "distinct": d, "distinct_expected": by_chance, "same": s, "same_expected": same_by_chance}
        for n, d, by_chance, s, same_by_chance in zip(
            NEIGHBORS, found.all.distinct, found.all.distinct_expected, found.all.same,
            found.all.same_expected, strict=True,
        )
    ]  # fmt: skip
    context = {"study": study, "found": found, "figures": figures, "mixing": mixing}
    context |= {"thresholds": likeness.THRESHOLDS, "pools": _pools(study)}
    return render(request, "judging/homogeneity.html", context)


def _without(request: HttpRequest, study: Study, why: str) -> HttpResponse:
    """The study's own responses are not embedded; a pool on disk may say more."""
    if request.GET.get("format") == "json":
        return JsonResponse(on_disk.without(study, why))
    context = {"study": study, "why": why, "pools": _pools(study)}
    return render(request, "judging/no_homogeneity.html", context)


def _pools(study: Study) -> list[dict[str, Any]]:
    return kept(study, "pools-on-disk", lambda: [_pool(told) for told in on_disk.on_disk(study)])


def _pool(told: on_disk.OnDisk) -> dict[str, Any]:
    figures = {"cosines": charts.histograms_on_disk(told), "sources": charts.heat_map_on_disk(told)}
    for figure in figures.values():
        figure.svg  # noqa: B018 - drawn once, and kept with the figure
    return {"told": told, **figures}


def _figures(found: likeness.Homogeneity) -> dict[str, Figure]:
    drawn = {"cosines": charts.histograms(found), "sources": charts.heat_map(found)}
    later = charts.generations(found)
    every = drawn if later is None else drawn | {"generations": later}
    for figure in every.values():
        figure.svg  # noqa: B018 - drawn once, and kept with the figure
    return every


@require_GET
@for_members(Role.AUDITOR)
def prompt_map(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    prompt = get_object_or_404(Prompt, study=study, pk=pk)
    run = frames.embedding_run(study)
    part = next(pool.embedded(run, prompt), None) if run else None
    if run is None or part is None:
        why = (
            f"No response to this prompt is embedded yet: run `manage.py score {study.slug} --scorer minilm`."
        )
        return render(request, "judging/no_homogeneity.html", {"study": study, "why": why})
    pinned = _pinned(request, prompt, part, run)
    if request.GET.get("part") == "pinned":
        return render(request, "judging/pinned.html", {"study": study, "pinned": pinned})
    points = _points(study, part)
    figure = kept(study, f"map:{pk}", lambda: _map(prompt, points, part.vectors, run))
    context = {
        "study": study,
        "prompt": prompt,
        "figure": figure,
        "points": points,
        "pinned": pinned,
        "run": run,
    }
    return render(request, "judging/prompt_map.html", context)


def _map(
    prompt: Prompt, points: list[charts.Point], vectors: npt.NDArray[np.float32], run: ScoreRun
) -> Figure:
    figure = charts.map_of(prompt.text, points, vectors, str(run))
    figure.svg  # noqa: B018
    return figure


def _points(study: Study, part: pool.PromptPool) -> list[charts.Point]:
    """In the order of the vectors."""
    texts = {r.pk: r for r in Response.objects.filter(prompt_id=part.prompt_id).only("key", "source", "text")}
    rated = human_means(study, part.prompt_id)
    return [
        charts.Point(
            pk, texts[pk].key, texts[pk].source, _beginning(texts[pk].text), *rated.get(pk, (None, 0))
        )
        for pk in part.response_ids
    ]


def human_means(study: Study, prompt_id: int) -> dict[int, tuple[float, int]]:
    """Mean of the counted ratings of quality of one prompt's responses, and how many there are."""
    asked = study.criteria.filter(kind=Kind.RATING, measures=Measure.QUALITY).order_by("position").first()
    if asked is None:
        return {}
    rows = (
        Answer.objects.filter(criterion=asked, judgment__in=Judgment.objects.counted())
        .filter(judgment__assignment__item__role__in=frames.COUNTED_ROLES)
        .filter(judgment__assignment__item__withheld=False, response__prompt_id=prompt_id)
        .values_list("response_id")
        .annotate(mean=Avg("value"), n=Count("value", filter=Q(value__isnull=False)))
    )
    return {pk: (mean, n) for pk, mean, n in rows if mean is not None and pk is not None}


def _beginning(text: str) -> str:
    return text if len(text) <= BEGINNING else text[: BEGINNING - 1].rstrip() + "…"


def _pinned(request: HttpRequest, prompt: Prompt, part: pool.PromptPool, run: ScoreRun) -> dict[str, Any]:
    """Up to two responses side by side, and how alike the embedder finds them."""
    asked = [request.GET.get(name, "") for name in ("a", "b")]
    wanted = [int(value) for value in asked if value.isdecimal() and int(value) in part.response_ids]
    texts = {r.pk: r for r in prompt.responses.filter(pk__in=wanted)}
    cosine = None
    if len(wanted) == 2:
        one, other = (part.vectors[part.response_ids.index(pk)].astype(np.float64) for pk in wanted)
        cosine = float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
    return {
        "responses": [texts[pk] for pk in wanted],
        "cosine": cosine,
        "embedder": str(run),
        "prompt": prompt,
    }
