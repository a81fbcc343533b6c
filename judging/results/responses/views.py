"""Browse the pool: a list to filter and sort, and one response with its ratings, neighbors and scores."""

from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.text import Truncator
from django.views.decorators.http import require_GET

from annotate.kinds import kind_of
from annotate.models import Criterion, Prompt, Response, Role, Study
from annotate.views.access import for_members
from annotate.whole_numbers import whole
from judging.frames import pool
from judging.frames import tables as frames
from judging.results.cache import cached
from judging.results.responses import report as browse
from judging.results.table import Column, Link, Table

A_PAGE = 50
NEIGHBORS = 10
LISTED = 500


@require_GET
@for_members(Role.AUDITOR)
def responses(request: HttpRequest, study: Study) -> HttpResponse:
    every = cached(study, "browse", lambda: browse.every_response(study))
    filters = _filters(request, every)
    places = browse.chosen(study, every, filters)
    page = Paginator(range(len(places)), A_PAGE).get_page(request.GET.get("page"))
    part = places[max(0, page.start_index() - 1) : page.end_index()]
    query = request.GET.copy()
    query.pop("page", None)
    rows = browse.rows_at(study, every, filters, part)
    context = {
        "study": study,
        "tab": "responses",
        "scorers": every.scorers,
        "filters": filters,
        "table": Table.of("responses", "", _columns(filters), rows),
        "page": page,
        "query": query.urlencode(),
        "sorts": browse.SORTS,
        "sources": list(every.table["source"].cat.categories),
        "prompts": _prompts(study, filters.prompt),
    }
    return render(request, "judging/results/responses.html", context)


def _columns(filters: browse.Filters) -> list[Column[dict[str, Any]]]:
    def number(
        key: str, title: str, unit: str = "", digits: int = 2, sign: str = ""
    ) -> Column[dict[str, Any]]:
        order = "descending" if filters.descending else "ascending"
        return Column(
            key,
            title,
            itemgetter(key),
            unit,
            digits=digits,
            sign=sign,
            sort=order if key == filters.sort else "",
        )

    return [
        Column("response", "Response", lambda row: _link(row["response"], 180, row["response"].prompt.text)),
        Column("source", "Source", itemgetter("source")),
        number("human", "Human mean"),
        Column("ratings", "Ratings", itemgetter("ratings")),
        number("score", "Score", digits=3),
        number("gap", "Gap", "SDs", sign="+"),
        number("unusualness", "Unusualness", digits=3),
        number("divisiveness", "Divisiveness", "bits"),
    ]


def _link(response: Response, length: int, note: str = "") -> Link:
    text = Truncator(response.text).chars(length) or "(an empty response)"
    href = reverse("response", args=[response.study.slug, response.pk])
    return Link(text, href, Truncator(note).chars(70), response.prompt.language)


def _prompts(study: Study, chosen: int | None) -> QuerySet[Prompt]:
    """What the list of prompts offers: of very many the first ones, and the chosen one."""
    prompts = study.prompts.in_pool().order_by("pk")
    first = prompts.values_list("pk", flat=True)[:LISTED]
    return prompts.filter(Q(pk__in=list(first)) | Q(pk=chosen))


def _filters(request: HttpRequest, every: browse.Responses) -> browse.Filters:
    """Unknown scorers and orders count as not chosen."""
    query = request.GET
    scorer, sort = query.get("scorer", ""), query.get("sort", "")
    default = "gap" if every.gaps[every.scorers[0]].notna().any() else "unusualness"
    return browse.Filters(
        scorer=scorer if scorer in every.scorers else every.scorers[0],
        sort=sort if sort in browse.SORTS else default,
        descending=query.get("order") != "up",
        source=query.get("source", ""),
        prompt=whole(query.get("prompt", "")),
        least_ratings=whole(query.get("ratings", "")) or 0,
        words=query.get("words", "").strip(),
    )


@require_GET
@for_members(Role.AUDITOR)
def response(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    one = get_object_or_404(study.responses.in_pool().select_related("prompt"), pk=pk)
    every = cached(study, "browse", lambda: browse.every_response(study))
    place = int(np.flatnonzero(every.table["response_id"].to_numpy() == pk)[0])
    row = {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in every.table.iloc[place].items()}
    neighbors, embedder = _neighbors(study, one)
    context = {
        "study": study,
        "response": one,
        "row": row,
        "distributions": [d for d in (_distribution(c, pk) for c in study.criteria.all()) if d],
        "neighbors": Table.of("neighbors", "", NEIGHBOR_COLUMNS, neighbors),
        "embedder": embedder,
        "scores": Table.of("scores", "", SCORES, _scores(every, place)),
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
    nearest = Response.objects.filter(pk__in=[part.response_ids[i] for i in order])
    texts = {r.pk: r for r in nearest.select_related("prompt", "study")}
    return [{"response": texts[part.response_ids[i]], "cosine": float(cosine[i])} for i in order], str(run)


def _scores(every: browse.Responses, place: int) -> list[dict[str, Any]]:
    """Every scorer's number for one response, its place within the prompt, and its gap."""
    same = every.table["prompt_id"] == every.table["prompt_id"].iloc[place]
    rows: list[dict[str, Any]] = []
    for name in every.scorers:
        score, gap = every.scores[name].iloc[place], every.gaps[name].iloc[place]
        if pd.notna(score):
            others = every.scores.loc[same, name].dropna()
            rank = int((others > score).sum()) + 1
            rows.append({"scorer": name, "score": float(score), "rank": rank, "of": len(others)})
            rows[-1]["gap"] = float(gap) if pd.notna(gap) else None
    return rows


NEIGHBOR_COLUMNS: list[Column[dict[str, Any]]] = [
    Column("response", "Response", lambda row: _link(row["response"], 220)),
    Column("source", "Source", lambda row: row["response"].source),
    Column("cosine", "Cosine", itemgetter("cosine"), digits=3),
]
SCORES: list[Column[dict[str, Any]]] = [
    Column("scorer", "Scorer", itemgetter("scorer")),
    Column("score", "Score", itemgetter("score"), digits=3),
    Column("rank", "Place in the prompt", lambda row: f"{row['rank']} of {row['of']}"),
    Column("gap", "Gap", itemgetter("gap"), "SDs", sign="+"),
]
