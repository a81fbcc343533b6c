"""Browse the pool: a list to filter and sort, and one response with its ratings, neighbors and scores."""

from typing import Any

import numpy as np
import pandas as pd
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from annotate.kinds import kind_of
from annotate.models import Criterion, Prompt, Response, Role, Study
from annotate.views.access import for_members
from annotate.whole_numbers import whole
from judging.frames import pool
from judging.frames import tables as frames
from judging.results.cache import kept
from judging.results.responses import report as browse

A_PAGE = 50
NEIGHBORS = 10
LISTED = 500


@require_GET
@for_members(Role.AUDITOR)
def responses(request: HttpRequest, study: Study) -> HttpResponse:
    found = kept(study, "browse", lambda: browse.browsed(study))
    asked = _asked(request, found)
    rows = browse.chosen(study, found, asked)
    page = Paginator(range(len(rows)), A_PAGE).get_page(request.GET.get("page"))
    part = rows[max(0, page.start_index() - 1) : page.end_index()]
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "study": study,
        "found": found,
        "asked": asked,
        "rows": browse.shown(study, found, asked, part),
        "page": page,
        "query": query.urlencode(),
        "sorts": browse.SORTS,
        "sources": list(found.table["source"].cat.categories),
        "prompts": _prompts(study, asked.prompt),
    }
    return render(request, "judging/results/responses.html", context)


def _prompts(study: Study, asked: int | None) -> QuerySet[Prompt]:
    """What the list of prompts offers: of very many the first ones, and the one asked for."""
    prompts = study.prompts.order_by("pk")
    first = prompts.values_list("pk", flat=True)[:LISTED]
    return prompts.filter(Q(pk__in=list(first)) | Q(pk=asked))


def _asked(request: HttpRequest, found: browse.Browsed) -> browse.Asked:
    """What does not name anything that there is counts as not asked."""
    given = request.GET
    scorer, sort = given.get("scorer", ""), given.get("sort", "")
    usual = "gap" if found.gaps[found.scorers[0]].notna().any() else "unusualness"
    return browse.Asked(
        scorer=scorer if scorer in found.scorers else found.scorers[0],
        sort=sort if sort in browse.SORTS else usual,
        descending=given.get("order") != "up",
        source=given.get("source", ""),
        prompt=whole(given.get("prompt", "")),
        least_ratings=whole(given.get("ratings", "")) or 0,
        words=given.get("words", "").strip(),
    )


@require_GET
@for_members(Role.AUDITOR)
def response(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    one = get_object_or_404(Response.objects.select_related("prompt"), study=study, pk=pk)
    found = kept(study, "browse", lambda: browse.browsed(study))
    place = int(np.flatnonzero(found.table["response_id"].to_numpy() == pk)[0])
    row = {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in found.table.iloc[place].items()}
    neighbors, embedder = _neighbors(study, one)
    context = {
        "study": study,
        "response": one,
        "row": row,
        "distributions": [d for d in (_distribution(c, pk) for c in study.criteria.all()) if d],
        "neighbors": neighbors,
        "embedder": embedder,
        "scores": _scores(found, place),
    }
    return render(request, "judging/results/response.html", context)


def _distribution(criterion: Criterion, pk: int) -> dict[str, Any] | None:
    """How many annotators gave each point; None where nobody rated this response."""
    if not kind_of(criterion).rates:
        return None
    values = frames.values_of(criterion, pk)
    if values.empty:
        return None
    counts = values.value_counts()
    number = {p: int(counts.get(p, 0)) for p in criterion.points}
    points = [
        {"point": p, "label": criterion.label_of(p), "n": n, "share": n / len(values)}
        for p, n in number.items()
    ]
    return {"criterion": criterion, "n": len(values), "mean": float(values.mean()), "points": points}


def _neighbors(study: Study, one: Response) -> tuple[list[dict[str, Any]], str]:
    """The responses to the same prompt that the embedder finds nearest, and its name."""
    run = frames.embedding_run(study)
    part = next(pool.embedded(run, one.prompt), None) if run else None
    if run is None or part is None or one.pk not in part.response_ids:
        return [], ""
    vectors = part.vectors.astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    own = part.response_ids.index(one.pk)
    cosine = vectors @ vectors[own]
    order = [i for i in np.argsort(-cosine, kind="stable") if i != own][:NEIGHBORS]
    texts = {r.pk: r for r in Response.objects.filter(pk__in=[part.response_ids[i] for i in order])}
    return [{"response": texts[part.response_ids[i]], "cosine": float(cosine[i])} for i in order], str(run)


def _scores(found: browse.Browsed, place: int) -> list[dict[str, Any]]:
    """Every scorer's number for one response, its place within the prompt, and its gap."""
    same = found.table["prompt_id"] == found.table["prompt_id"].iloc[place]
    rows: list[dict[str, Any]] = []
    for name in found.scorers:
        score, gap = found.scores[name].iloc[place], found.gaps[name].iloc[place]
        if pd.notna(score):
            others = found.scores.loc[same, name].dropna()
            rank = int((others > score).sum()) + 1
            rows.append({"scorer": name, "score": float(score), "rank": rank, "of": len(others)})
            rows[-1]["gap"] = float(gap) if pd.notna(gap) else None
    return rows
