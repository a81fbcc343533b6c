"""What the audit page shows and lets a reader choose; the same in the command and as JSON."""

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotate.models import Prompt, Response, Study
from judging.frames.pool import is_human
from judging.models import Embedding, ScoreRun
from judging.results.audit.contrasts import _labels
from judging.results.audit.options import DEFAULTS, MEASURES
from judging.results.audit.report import adjusted_p
from judging.results.audit.result import RESULT as AUDIT
from judging.stats import Verdict
from tests.annotate.formats.samples import absolute, brought, jsonl
from tests.factories import make_study

pytestmark = pytest.mark.any_database("computed from frames, which test_results.py reads from both databases")


def run(*args: str) -> str:
    out = StringIO()
    call_command("audit", "demo", *args, stdout=out)
    return out.getvalue()


def page(auditor: Client, **query: str) -> str:
    return " ".join(auditor.get(reverse("audit", args=["demo"]), query).content.decode().split())


def test_each_scorer_has_a_sentence(demo: Study, auditor: Client) -> None:
    html = page(auditor)
    assert "<strong>rm-conventional</strong> on quality: <span" in html
    assert "At equal human quality, a response one SD more unusual scores" in html
    assert "Still significant after correcting for several scorers." in html


def test_people_lengths_units_and_detectable_effects_stand_beside_every_slope(
    demo: Study, auditor: Client
) -> None:
    html = page(auditor)
    (row, *_) = AUDIT.cached(demo, DEFAULTS).rows
    for e in (row.result.underrating, row.result.raw, row.result.human, row.result.human_raw, row.length):
        assert e is not None
        assert f"{e.estimate:+.2f}".replace("-", "−") in html
    assert row.result.smallest_detectable is not None
    assert f"{row.result.smallest_detectable:.2f}" in html
    assert "Interval that needs no identification" in html


def test_kinds_of_source_are_contrasted(demo: Study, auditor: Client) -> None:
    found = json.loads(run("--json"))
    assert found["groups"] == "written"
    assert found["groupings"] == ["written", "source"]
    assert [(c["scorer"], c["group"]) for c in found["contrasts"]] == [
        ("rm-conventional", "human"), ("rm-fair", "human"), ("length", "human"),
    ]  # fmt: skip
    first = found["contrasts"][0]
    assert (first["n_group"], first["n_others"], first["n_prompts"]) == (32, 160, 16)
    contrast = first["scorer_gap"]["estimate"] - first["human_gap"]["estimate"]
    assert first["contrast"]["estimate"] == pytest.approx(contrast)
    assert found["contrasts"][2]["p_adjusted"] is None
    assert "human minus the others" in page(auditor)
    by_source = json.loads(run("--json", "--groups", "source"))["contrasts"]
    assert {c["group"] for c in by_source} == {"ember-mini", "human", "larch-70b", "quill-2", "tern-8b"}
    assert '<option value="source" selected>' in page(auditor, groups="source")
    assert "Nothing to show." in page(auditor, groups="nothing")
    with pytest.raises(
        CommandError, match="no kinds of source by 'nothing' in demo; there are: written, source"
    ):
        run("--groups", "nothing")


def test_params_sort_responses_too(demo: Study) -> None:
    for i, response in enumerate(Response.objects.filter(study=demo).order_by("pk")):
        response.params = {"temperature": 0.2 if i % 2 else 1.0, "other": [1]}
        response.save()
    found = json.loads(run("--json", "--groups", "temperature"))
    assert "other" not in found["groupings"]
    assert {c["group"] for c in found["contrasts"]} == {"temperature 0.2"}


def test_a_study_of_one_source_has_no_contrasts(demo: Study, auditor: Client) -> None:
    Response.objects.filter(study=demo).update(source="quill-2")
    found = json.loads(run("--json"))
    assert (found["groups"], found["groupings"], found["contrasts"]) == (None, [], [])
    assert 'id="groups"' not in page(auditor)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("human", "human"),
        ("Human-1", "human"),
        ("human 2", "human"),
        ("humanist-7b", "LLM"),
        ("gpt-4", "LLM"),
    ],
)
@pytest.mark.django_db
def test_people_are_people_on_every_page(source: str, kind: str) -> None:
    """`human-1` was a person to homogeneity and an LLM to the audit."""
    study = make_study("tiny")
    first, *others = Response.objects.filter(study=study).order_by("pk")
    for response, name in zip((first, *others), (source, "human", "quill-2"), strict=False):
        Response.objects.filter(pk=response.pk).update(source=name)
    assert _labels(study)["written"][first.pk] == kind
    assert is_human(source) == (kind == "human")


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.django_db
def test_page_api_and_command_take_the_same_measures(auditor: Client, measure: str) -> None:
    """The API refused two measures that correct each other."""
    make_study("tiny")
    shown = auditor.get("/studies/tiny/audit/", {"unusualness": measure, "format": "json"})
    served = auditor.get("/api/v1/studies/tiny/audit/", {"unusualness": measure})
    assert (shown.status_code, served.status_code) == (200, 200)
    assert shown.json() == served.json()
    out = StringIO()
    call_command("audit", "tiny", "--json", "--unusualness", measure, stdout=out)
    assert json.loads(out.getvalue()) == served.json()


@pytest.mark.django_db
def test_a_measure_that_there_is_not_is_refused_by_name(auditor: Client) -> None:
    make_study("tiny")
    assert auditor.get("/studies/tiny/audit/", {"unusualness": "taste"}).status_code == 404
    refused = auditor.get("/api/v1/studies/tiny/audit/", {"unusualness": "taste"})
    assert (refused.status_code, "One of cosine, " in refused.content.decode()) == (400, True)
    with pytest.raises(CommandError, match="--unusualness: One of cosine, "):
        call_command("audit", "tiny", "--unusualness", "taste")


def test_the_embedder_is_named_and_can_be_chosen(demo: Study, auditor: Client) -> None:
    first = ScoreRun.objects.get(study=demo, scorer="minilm")
    html = page(auditor)
    assert f"Embedded by <strong>{first}</strong>, run of <time" in html
    assert '<select name="embedder">' not in html
    other = ScoreRun.objects.create(study=demo, scorer="shuffled", version="1", languages=["de"])
    pks, vectors = Embedding.objects.filter(run=first).array(first.dtype)
    mixed = np.random.default_rng(0).permutation(vectors)
    Embedding.objects.bulk_create(
        Embedding(run=other, response_id=pk, vector=v.astype("<f4").tobytes())
        for pk, v in zip(pks, mixed, strict=True)
    )
    found = json.loads(run("--json"))
    assert (found["embedder"], found["embedders"]) == ("shuffled 1", ["shuffled 1", str(first)])
    assert found["unknown_languages"] == ["en"]
    html = page(auditor)
    assert "does not know the language of some prompts (en)" in html
    assert '<option value="shuffled 1" selected>' in html
    chosen = json.loads(run("--json", "--embedder", str(first)))
    assert chosen["embedder"] == str(first)
    assert chosen["unknown_languages"] == []
    assert chosen["scorers"][0]["underrating"] != found["scorers"][0]["underrating"]
    html = page(auditor, embedder=str(first))
    assert "does not know the language" not in html
    assert f"embedder={first.scorer}+" in html
    with pytest.raises(CommandError, match="no embedder 'nobody' in demo; there are shuffled 1, minilm"):
        run("--embedder", "nobody")


def test_a_prompt_in_a_language_that_the_embedder_does_not_know_is_named(
    demo: Study, auditor: Client
) -> None:
    Prompt.objects.filter(study=demo, key="time-metaphor").update(language="sw")
    assert "does not know the language of some prompts (sw)" in page(auditor)
    assert "does not know these languages: sw." in run()


def test_a_discovery_underrates_by_its_own_interval_too(demo: Study) -> None:
    rows = AUDIT.cached(demo, DEFAULTS).rows
    assert [r.discovery for r in rows] == [True, False, None]
    assert all(r.result.verdict is Verdict.UNDERRATES for r in rows if r.discovery)
    # One-sided, so the machine that overrates has a p near 1, and no discovery.
    results = [r.result for r in rows]
    adjusted = adjusted_p(results, [False, False, True])
    assert adjusted[2] is None
    assert adjusted[0] == pytest.approx(min(2 * (results[0].p_one_sided or 0), adjusted[1] or 1))


@pytest.mark.django_db
def test_labels_without_names_make_no_audit(tmp_path: Path, auditor: Client) -> None:
    brought(jsonl(tmp_path / "a.jsonl", absolute()))
    call_command("score", "in", "--scorer", "minilm", stdout=StringIO())
    html = auditor.get("/studies/in/audit/").content.decode()
    assert "Nothing to show." in html
    assert "without the names of who gave them" in html
    assert "without the names of who gave them" in auditor.get("/studies/in/report/").content.decode()
