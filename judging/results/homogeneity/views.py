"""How alike the responses are: the whole pool."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotate.models import Role, Study
from annotate.views.access import for_members
from judging.results.cache import kept
from judging.results.figures import Figure
from judging.results.homogeneity import charts
from judging.results.homogeneity import external_pool as on_disk
from judging.results.homogeneity import report as likeness
from judging.results.homogeneity.json import as_json
from judging.stats.similarity.homogeneity import NEIGHBORS


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
    context["several"] = [g for g in found.categories if g.n_prompts > 1]
    context["lone"] = [g for g in found.categories if g.n_prompts == 1]
    return render(request, "judging/results/homogeneity.html", context)


def _without(request: HttpRequest, study: Study, why: str) -> HttpResponse:
    """The study's own responses are not embedded; a pool on disk may say more."""
    if request.GET.get("format") == "json":
        return JsonResponse(on_disk.without(study, why))
    context = {"study": study, "why": why, "pools": _pools(study)}
    return render(request, "judging/results/no_homogeneity.html", context)


def _pools(study: Study) -> list[dict[str, Any]]:
    return kept(study, "pools-on-disk", lambda: [_pool(told) for told in on_disk.on_disk(study)])


def _pool(told: on_disk.OnDisk) -> dict[str, Any]:
    figures = {"cosines": charts.histograms_on_disk(told), "sources": charts.heat_map_on_disk(told)}
    return {"told": told} | {name: figure.drawn() for name, figure in figures.items()}


def _figures(found: likeness.Homogeneity) -> dict[str, Figure]:
    drawn = {"cosines": charts.histograms(found), "sources": charts.heat_map(found)}
    later = charts.generations(found)
    every = drawn if later is None else drawn | {"generations": later}
    return {name: figure.drawn() for name, figure in every.items()}
