"""Endpoint scorers on a study: what is stored, what is paid, and batch files."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.core.serializers import serialize
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from annotate.models import Study
from judging import tasks
from judging.frames import tables as frames
from judging.models import Embedding, FileReply, Reply, Score, ScoreRun, ScoringTask, Verdict
from judging.results.judges import report as judges
from judging.runs import batch_files
from judging.runs import work as scoring
from judging.scorers.endpoints import RefusedError
from tests.factories import make_study
from tests.results.commands import json_of
from tests.scorers.serving import EndpointServer, ServerReply, completion, serving

CLASSES = {
    "judge": "judging.scorers.endpoints.judge.Judge",
    "pairs": "judging.scorers.endpoints.judge.PairwiseJudge",
    "vectors": "judging.scorers.endpoints.openai.Embeddings",
}


def speaks(path: str, body: dict[str, Any], before: int) -> ServerReply:
    """Grades by length; says nothing sensible of the second response to the first prompt; prefers what is first."""
    if path == "/embeddings":
        rows = [{"index": n, "embedding": [len(t), 1.0]} for n, t in enumerate(body["input"])]
        return ServerReply({"data": rows, "usage": {"total_tokens": 3}})
    told = body["messages"][0]["content"]
    if "response A" in told:
        return ServerReply(completion("[[A]]"))
    if "Response 1 to 0." in told:
        return ServerReply(completion("Hm."))
    return ServerReply(completion(json.dumps({"reason": "", "score": 3 + len(told) % 5})))


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[EndpointServer]:
    monkeypatch.setenv("JUDGE_API_KEY", "sk-very-secret")
    settings.ENDPOINTS_ALLOWED = ["127.0.0.1"]
    with serving(speaks) as running:
        settings.SCORERS = {
            name: {
                "class": dotted,
                "url": running.url,
                "model": "m",
                "key_env": "JUDGE_API_KEY",
                "concurrency": 2,
                "back_off": 0.01,
            }
            for name, dotted in CLASSES.items()
        }
        scoring.build.cache_clear()
        yield running
    scoring.build.cache_clear()


@pytest.fixture
def study(db: None) -> Study:
    return make_study(prompts=2, responses=3, kinds=["single", "pair"])


def test_grades_are_stored_with_the_words_and_failures_as_null(study: Study, server: EndpointServer) -> None:
    report = scoring.score(study, "judge")
    assert (report.computed, report.failed) == (6, 1)
    bad = Score.objects.failed().get()
    assert (bad.response.key, bad.value, bad.raw) == ("secret-model-0-1", None, "Hm.")
    assert Score.objects.exclude(pk=bad.pk).first().raw.startswith("{")  # type: ignore[union-attr]
    task = ScoringTask.objects.get()
    assert (task.done, task.failed, task.calls, task.tokens) == (6, 1, 6, 60)
    assert task.error == "no grade in what it said"


def test_nothing_is_paid_for_twice(study: Study, server: EndpointServer) -> None:
    scoring.score(study, "judge")
    paid = len(server.calls)
    Score.objects.all().delete()
    scoring.score(study, "judge")
    twin = make_study("twin", prompts=2, responses=3, kinds=["single"])
    scoring.score(twin, "judge")
    assert len(server.calls) == paid == 6
    assert Score.objects.filter(run__study=twin).count() == 6


def test_a_budget_stops_the_run_and_the_next_goes_on(study: Study, server: EndpointServer) -> None:
    with pytest.raises(scoring.SpentError, match="4 calls"):
        scoring.score(study, "judge", call_budget=4)
    task = ScoringTask.objects.get()
    assert (task.status, task.done, task.calls) == (ScoringTask.Status.STOPPED, 4, 4)
    assert Score.objects.count() == 4
    scoring.score(study, "judge")
    assert (Score.objects.count(), len(server.calls)) == (6, 6)


def test_pairs_are_stored_by_both_orders(study: Study, server: EndpointServer) -> None:
    scoring.score(study, "pairs")
    found = Verdict.objects.all()
    assert {(v.winner_id, v.value, v.straight, v.swapped) for v in found} == {(None, 0, 1, -1)}
    assert found.count() == study.items.filter(kind="pair").count()
    assert len(server.calls) == 2 * found.count()


def test_vectors_are_stored(study: Study, server: EndpointServer) -> None:
    scoring.score(study, "vectors")
    assert Embedding.objects.count() == 6
    Embedding.objects.all().delete()
    scoring.score(study, "vectors")
    assert len(server.calls) == 1


def test_the_key_is_stored_nowhere(study: Study, server: EndpointServer) -> None:
    for name in CLASSES:
        scoring.score(study, name)
    models = (Reply, Score, ScoreRun, ScoringTask, Verdict)
    stored = "".join(serialize("json", model._default_manager.all()) for model in models)
    assert "sk-very-secret" not in stored
    assert server.url not in stored
    assert server.headers[0]["Authorization"] == "Bearer sk-very-secret"


def test_a_private_address_is_refused_and_said(
    study: Study, server: EndpointServer, settings: Settings
) -> None:
    settings.ENDPOINTS_ALLOWED = []
    with pytest.raises(RefusedError):
        scoring.score(study, "judge")
    task = ScoringTask.objects.get()
    assert task.status == ScoringTask.Status.FAILED
    assert "not public" in task.error
    with pytest.raises(CommandError, match="not public"):
        call_command("score", study.slug, "--scorer", "judge", stderr=StringIO())


def answered(lines: list[str], bad: int | None = None) -> str:
    """What a batch endpoint makes of a file: results in another order, one of them failed."""
    results = []
    for n, line in enumerate(lines):
        row = json.loads(line)
        said = speaks(row["url"].removeprefix("/v1"), row["body"], 0)
        response: dict[str, Any] = {"status_code": 200, "request_id": "r", "body": said.body}
        if n == bad:
            response = {"status_code": 500, "body": {"error": "out of memory"}}
        results.append(
            json.dumps({"id": "b", "custom_id": row["custom_id"], "response": response, "error": None})
        )
    return "\n".join(reversed(results)) + "\n"


def batch(*command: str, scorer: str = "judge") -> str:
    out = StringIO()
    call_command("batch", *command, "--scorer", scorer, stdout=out)
    return out.getvalue()


def test_a_batch_file_comes_back_in_pieces(study: Study, server: EndpointServer, tmp_path: Path) -> None:
    calls, results = tmp_path / "calls.jsonl", tmp_path / "results.jsonl"
    assert "6 calls to be answered" in batch("write", study.slug, str(calls))
    lines = calls.read_text().splitlines()
    row = json.loads(lines[0])
    assert set(row) == {"custom_id", "method", "url", "body"}
    assert (row["method"], row["url"], row["body"]["model"]) == ("POST", "/v1/chat/completions", "m")

    results.write_text(answered(lines[:4], bad=0))
    out = batch("read", study.slug, str(results))
    assert "3 answers kept, 1 failed" in out
    assert "out of memory" in out
    assert "3 still to be asked" in out
    assert Score.objects.count() == 3

    assert "3 calls to be answered" in batch("write", study.slug, str(calls))
    again = calls.read_text().splitlines()
    assert {json.loads(line)["custom_id"] for line in again} == {
        json.loads(lines[n])["custom_id"] for n in (0, 4, 5)
    }
    results.write_text(answered(again))
    assert "0 still to be asked" in batch("read", study.slug, str(results))
    assert (Score.objects.count(), Score.objects.failed().count()) == (6, 1)
    assert "0 calls to be answered" in batch("write", study.slug, str(calls))
    assert server.calls == []


def test_batch_files_are_written_and_read_in_the_browser(
    study: Study, server: EndpointServer, client: Client, tmp_path: Path
) -> None:
    """The answers are kept at once; a worker scores what they allow, and asks nobody."""
    client.force_login(User.objects.create_superuser("auditor"))
    page = reverse("scores-files", args=[study.slug])
    html = client.get(page).content.decode()
    assert all(f'<option value="{name}">' in html for name in CLASSES)
    sent = client.post(reverse("batch-write", args=[study.slug]), {"scorer": "judge"})
    assert 'filename="tiny-judge-batch.jsonl"' in sent["Content-Disposition"]
    lines = b"".join(sent).decode().splitlines()
    assert len(lines) == 6
    results = tmp_path / "results.jsonl"
    results.write_text(answered(lines, bad=0))
    with results.open("rb") as file:
        read = client.post(
            reverse("batch-read", args=[study.slug]), {"scorer": "judge", "sent": file}, follow=True
        )
    told = read.content.decode()
    assert "5 answers kept" in told
    assert "failed: " in told
    task = ScoringTask.objects.get()
    assert (task.status, task.call_budget) == (ScoringTask.Status.WAITING, 0)
    tasks.perform.call(task.pk)
    assert Score.objects.count() == 5
    assert server.calls == []
    results.write_text("not JSON\n")
    with results.open("rb") as file:
        read = client.post(
            reverse("batch-read", args=[study.slug]), {"scorer": "judge", "sent": file}, follow=True
        )
    assert "results.jsonl, line 1: expected a JSON object" in read.content.decode()


@pytest.mark.parametrize(("scorer", "lines", "model"), [("pairs", 4, Verdict), ("vectors", 6, Embedding)])
def test_pairs_and_vectors_travel_too(
    study: Study, server: EndpointServer, tmp_path: Path, scorer: str, lines: int, model: Any
) -> None:
    calls, results = tmp_path / "calls.jsonl", tmp_path / "results.jsonl"
    batch("write", study.slug, str(calls), scorer=scorer)
    written = calls.read_text().splitlines()
    assert len(written) == lines
    results.write_text(answered(written))
    assert "0 still to be asked" in batch("read", study.slug, str(results), scorer=scorer)
    assert model.objects.count() == {Verdict: 2, Embedding: 6}[model]
    assert server.calls == []


def test_batch_files_that_are_none_are_refused(study: Study, server: EndpointServer, tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    file.write_text('{"custom_id": "x"}\nnonsense\n')
    with pytest.raises(CommandError, match=r"results.jsonl, line 2: expected a JSON object"):
        batch("read", study.slug, str(file))
    file.write_text('{"custom_id": "x", "response": {"status_code": 200, "body": {}}}\n')
    assert "1 of other calls" in batch("read", study.slug, str(file))
    with pytest.raises(CommandError, match="there is no scorer named"):
        batch("write", study.slug, str(file), scorer="length")


def test_a_judge_is_tried_by_repeats_and_other_wordings(study: Study, server: EndpointServer) -> None:
    """The server's grade goes with the length of what it is told, so the wordings differ and the repeats do not."""
    for name in ("judge", "pairs"):
        order = scoring.order(study, name, probe={"responses": 4, "repeats": 3})
        assert order.claim()
        scoring.perform(order)
    labels = ScoreRun.objects.filter(scorer="judge").order_by("pk").values_list("probe", flat=True)
    assert list(labels) == ["", "repeat 2", "repeat 3", "wording 2", "wording 3"]
    asked = [body for path, body in server.calls if "response A" not in body["messages"][0]["content"]]
    assert {body["seed"] for body in asked} == {7, 8, 9}
    task = ScoringTask.objects.get(scorer="judge")
    assert (task.done, task.total) == (20, 20)
    pointwise, pairwise = judges.compute(study)
    assert pointwise.test_retest is not None
    assert pointwise.test_retest.same.estimate == 1
    assert [name for name, _ in pointwise.wordings] == ["wording 2", "wording 3"]
    assert pairwise.position is not None
    assert pairwise.position.first.estimate == 1
    assert pairwise.position.consistent.estimate == 0
    records = json_of("judges", "tiny")["judges"]
    assert records[1]["position"]["pull"]["estimate"] == 1
    assert records[0]["steadiness"]["icc"].keys() >= {"estimate", "reason", "standard_error", "f", "p"}
    # Probes are no scorers of the study.
    assert set(frames.scores(study)["scorer"]) == {"judge"}


def test_the_judges_page(study: Study, server: EndpointServer, client: Client) -> None:
    client.force_login(User.objects.create_user("ada", is_staff=True, is_superuser=True))
    path = reverse("judges", args=["tiny"])
    assert "No judge has been tested yet" in client.get(path).content.decode()
    asked = {"scorer": "pairs", "responses": "2", "repeats": "2"}
    assert client.post(reverse("try-judge", args=["tiny"]), asked | {"repeats": "1"}).status_code == 422
    assert client.post(reverse("try-judge", args=["tiny"]), asked).status_code == 302
    order = ScoringTask.objects.get()
    assert order.probe == {"responses": 2, "repeats": 2}
    assert tasks.perform.call(order.pk) == "done"
    shown = client.get(path).content.decode()
    assert "Chooses what is shown first" in shown
    record = client.get(path, {"format": "json"}).json()
    assert record["judges"][0]["scorer"] == "pairs"
    assert client.get("/api/v1/studies/tiny/judges/").json() == record == json_of("judges", "tiny")


def test_what_a_file_brought_counts_in_its_study_alone(
    study: Study, server: EndpointServer, tmp_path: Path
) -> None:
    other = make_study("other", prompts=2, responses=3, kinds=("single",))
    calls, results = tmp_path / "calls.jsonl", tmp_path / "results.jsonl"
    batch("write", study.slug, str(calls))
    results.write_text(answered(calls.read_text().splitlines()))
    batch("read", study.slug, str(results))
    assert FileReply.objects.filter(study=study).count() == 6
    assert not Reply.objects.exists()
    before = len(server.calls)
    scoring.score(other, "judge")
    assert len(server.calls) - before == 6, "the same texts, asked by the application itself"
    FileReply.objects.update(body={"choices": [{"message": {"content": '{"score": 1}'}}]})
    Score.objects.filter(run__study=study).delete()
    scoring.score(study, "judge")
    own = Score.objects.filter(run__study=study).values_list("value", flat=True)
    assert set(own) == set(Score.objects.filter(run__study=other).values_list("value", flat=True)), (
        "what the endpoint said itself comes first"
    )


@pytest.mark.parametrize("scorer", ["judge", "vectors"])
@pytest.mark.parametrize(
    "response",
    [
        [], "text", 7, {"status_code": "200", "body": {}}, {"body": None}, {"body": []}, {"body": {"choices": []}},
        {"body": {"choices": [None]}},
        {"body": {"choices": [{"message": {"content": "a\0b"}}]}}, {"body": {"data": [{"index": 0}]}},
        {"body": {"data": [{"index": 0, "embedding": [10**400]}]}},
        {"body": {"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1]}]}},
        {"body": {"data": {"index": 0}}},
    ],
    ids=lambda response: str(response)[:60],
)  # fmt: skip
def test_a_malformed_result_is_named(
    study: Study, server: EndpointServer, tmp_path: Path, response: Any, scorer: str
) -> None:
    calls, results = tmp_path / "calls.jsonl", tmp_path / "results.jsonl"
    batch("write", study.slug, str(calls), scorer=scorer)
    key = json.loads(calls.read_text().splitlines()[0])["custom_id"]
    results.write_text(json.dumps({"custom_id": key, "response": response}))
    found = batch_files.keep(study, scorer, results)
    assert [k for k, _ in found.failures] == [key]
    assert found.failures[0][1]
    assert found.kept == 0


def test_a_reply_about_characters_that_cannot_be_kept_is_kept(
    study: Study, server: EndpointServer, tmp_path: Path
) -> None:
    calls, results = tmp_path / "calls.jsonl", tmp_path / "results.jsonl"
    batch("write", study.slug, str(calls))
    key = json.loads(calls.read_text().splitlines()[0])["custom_id"]
    message = {"content": '{"score": 1}', "note": "\\u0000 and \\ud83d in words"}
    results.write_text(
        json.dumps({"custom_id": key, "response": {"body": {"choices": [{"message": message}]}}})
    )
    found = batch_files.keep(study, "judge", results)
    assert (found.kept, found.failures) == (1, [])


@pytest.mark.parametrize(
    "line",
    [b"\xff\xfe", b'{"custom_id": "\xff"}', b"[" * 100_000, b'{"custom_id": NaN}', b"9" * 5_000, b"null", b'{"a": 1}'],
    ids=lambda line: repr(line[:20]),
)  # fmt: skip
def test_a_line_that_is_no_result_is_named(
    study: Study, server: EndpointServer, tmp_path: Path, line: bytes
) -> None:
    results = tmp_path / "results.jsonl"
    results.write_bytes(b"\n" + line + b"\n")
    with pytest.raises(
        batch_files.BatchError, match=r"results\.jsonl, line 2: expected an object|expected a JSON"
    ):
        batch_files.keep(study, "judge", results)
