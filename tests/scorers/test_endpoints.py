"""The adapters against a server that speaks their shapes."""

import math
from typing import Any

import numpy as np
import pytest

from judging.scorers import Embedder, PairJudge, Scorer
from judging.scorers.endpoints import Remote
from judging.scorers.endpoints.base import Endpoint
from judging.scorers.endpoints.judge import Judge, PairwiseJudge, said_choice, said_number
from judging.scorers.endpoints.openai import Embeddings
from judging.scorers.endpoints.replies import MemoryReplies
from judging.scorers.endpoints.rubrics import filled
from judging.scorers.endpoints.tei import Embed, Predict
from judging.scorers.endpoints.vllm import Classify, Pooling, Score
from tests.scorers.serving import ServerReply, candidates, completion, serving

PROMPTS, RESPONSES = ["Why?", "How?"], ["Because.", "Slowly."]
QUICK: dict[str, Any] = {"back_off": 0.01, "timeout": 60.0, "concurrency": 2}


def connected(endpoint: Any) -> Any:
    endpoint.connect(replies=MemoryReplies(), allowed=["127.0.0.1"])
    return endpoint


def always(body: Any) -> Any:
    return lambda *_: ServerReply(body)


@pytest.mark.parametrize(
    ("adapter", "further", "answer", "path", "sent"),
    [
        (
            Classify,
            {},
            {"data": [{"index": 0, "probs": [1.83], "num_classes": 1}]},
            "/classify",
            {"use_activation": False, "truncate_prompt_tokens": -1},
        ),
        (Classify, {"label": 1}, {"data": [{"probs": [-4.0, 1.83]}]}, "/classify", {"model": "rm"}),
        (
            Pooling,
            {},
            {"data": [{"data": [1.83]}]},
            "/pooling",
            {"task": "classify", "use_activation": False},
        ),
        (
            Pooling,
            {"every_token": True},
            {"data": [{"data": [[0.1], [0.7], [1.83]]}]},
            "/pooling",
            {"task": "token_classify"},
        ),
        (
            Score,
            {},
            {"data": [{"index": 0, "score": 1.83}]},
            "/score",
            {"queries": "Why?", "documents": ["Because."]},
        ),
        (
            Score,
            {"old_names": True},
            {"data": [{"score": 1.83}]},
            "/score",
            {"text_1": "Why?", "text_2": ["Because."]},
        ),
        (
            Predict,
            {},
            [[{"label": "LABEL_0", "score": 1.83}]],
            "/predict",
            {"inputs": [["Why?", "Because."]], "raw_scores": True},
        ),
        (
            Predict,
            {"template": "U:{prompt} A:{response}", "label": "good"},
            [[{"label": "bad", "score": -2}, {"label": "good", "score": 1.83}]],
            "/predict",
            {"inputs": [["U:Why? A:Because."]]},
        ),
    ],
)
def test_reward_models(adapter: Any, further: Any, answer: Any, path: str, sent: dict[str, Any]) -> None:
    with serving(always(answer)) as server:
        scorer = connected(adapter(server.url, "rm", **further, **QUICK))
        assert isinstance(scorer, Scorer)
        assert isinstance(scorer, Remote)
        found = scorer.score(PROMPTS[:1], RESPONSES[:1])
        assert found.values.tolist() == [1.83]
        assert found.errors == [""]
        assert server.calls[0][0] == path
        assert sent.items() <= server.calls[0][1].items()


@pytest.mark.parametrize(
    ("adapter", "answer"),
    [
        (Classify, {"data": [{"probs": [0.1, 0.9]}]}),
        (Classify, {"detail": "no"}),
        (Pooling, {"data": [{"data": [0.1, 0.9]}]}),
        (Score, {"data": []}),
        (Predict, [[{"label": "a", "score": 1}, {"label": "b", "score": 2}]]),
        (Predict, {"error": "x"}),
        (Judge, {"choices": []}),
    ],
)
def test_another_shape_is_no_number(adapter: Any, answer: Any) -> None:
    with serving(always(answer)) as server:
        found = connected(adapter(server.url, "rm", **QUICK)).score(PROMPTS, RESPONSES)
        assert np.isnan(found.values).all()
        assert all(error.startswith("expected ") for error in found.errors)


def test_vllm_marks_what_it_cut() -> None:
    with serving(always({"data": [{"probs": [1.0]}], "usage": {"prompt_tokens": 512}})) as server:
        cut = connected(Classify(server.url, "rm", max_tokens=512, **QUICK)).score(PROMPTS, RESPONSES)
        assert cut.truncated.tolist() == [True, True]
        assert server.calls[0][1]["truncate_prompt_tokens"] == 512


def vectors_of(path: str, body: dict[str, Any], before: int) -> ServerReply:
    """Length of the text and one; in the wrong order where the shape has an index."""
    if path == "/embed":
        return ServerReply([[len(t), 1.0] for t in body["inputs"]])
    rows = [{"index": n, "embedding": [len(t), 1.0]} for n, t in enumerate(body["input"])]
    return ServerReply({"data": rows[::-1], "usage": {"total_tokens": 5}})


@pytest.mark.parametrize("adapter", [Embeddings, Embed])
def test_embedders(adapter: Any) -> None:
    texts = ["a", "bbb", "a", "ccccc", "dd"]
    with serving(vectors_of) as server:
        embedder = connected(adapter(server.url, "m", texts_a_call=2, prefix="q: ", **QUICK))
        assert isinstance(embedder, Embedder)
        found = embedder.embed(texts)
        assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1)
        assert np.allclose(found.vectors[:, 0] / found.vectors[:, 1], [len(t) + 3 for t in texts])
        # Each text once, two a call; and none of them again.
        assert sorted(len(c.get("inputs", c.get("input", []))) for _, c in server.calls) == [2, 2]
        assert np.array_equal(embedder.embed(texts[:3]).vectors, found.vectors[:3])
        assert len(server.calls) == 2


def test_an_embedder_that_fails_says_for_which_texts() -> None:
    def speaks(path: str, body: dict[str, Any], before: int) -> ServerReply:
        return ServerReply({}, status=413) if "bad" in body["inputs"] else vectors_of(path, body, before)

    with serving(speaks) as server:
        found = connected(Embed(server.url, "m", texts_a_call=1, **QUICK)).embed(["a", "bad", "c"])
        assert [bool(e) for e in found.errors] == [False, True, False]
        assert np.isnan(found.vectors[1]).all()


def test_a_judge_is_told_the_rubric_and_asked_for_json() -> None:
    with serving(always(completion('{"reason": "fine", "score": 7}'))) as server:
        judge = connected(Judge(server.url, "j", **QUICK))
        found = judge.score(["Say {response}"], ["Certainly: {prompt}"])
        assert found.values.tolist() == [7]
        assert found.raw == ['{"reason": "fine", "score": 7}']
        sent = server.calls[0][1]
        told = sent["messages"][0]["content"]
        assert "Say {response}" in told
        assert "Certainly: {prompt}" in told
        assert "from 1 (worst) to 10 (best)" in told
        assert (sent["temperature"], sent["seed"]) == (0, 7)
        schema = sent["response_format"]["json_schema"]["schema"]
        assert schema["properties"]["score"] == {"type": "integer", "minimum": 1, "maximum": 10}


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ('{"score": 7}', 7),
        ('```json\n{"reason": "a {brace}", "score": "8"}\n```', 8),
        ("Thoughts {unclosed. Score: 6/10", 6),
        ("Rating: [[3.5]]", 3.5),
        ("**9**", 9),
        ("8/10.", 8),
        ("My final rating is 4.", 4),
        ("I would say it is good.", None),
        ("Score: 3. On reflection, score: 5", None),
        ("There are 3 ideas and 2 errors", None),
        ("", None),
        ('{"score": true}', None),
        ('{"score": null}', None),
    ],
)
def test_grades_are_read_from_any_text(said: str, value: float | None) -> None:
    assert said_number(said) == value


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ('{"winner": "A"}', 1),
        ('Because … {"reason": "x", "winner": "tie"}', 0),
        ("Long thoughts about A and B. [[B]]", -1),
        ("[[C]]", 0),
        ("B", -1),
        ("**A**", 1),
        ("Response B.", -1),
        ("Winner: tie", 0),
        ("[[A]] or [[B]]", None),
        ("A is better than B", None),
        ('{"winner": "both"}', None),
        ("garbage", None),
    ],
)
def test_choices_are_read_from_any_text(said: str, value: float | None) -> None:
    assert said_choice(said) == value


def test_what_can_not_be_read_is_null_counted_and_kept() -> None:
    said = {"Why?": completion("I love it"), "How?": completion('{"reason": "long', finish="length")}

    def speaks(path: str, body: dict[str, Any], before: int) -> ServerReply:
        told = body["messages"][0]["content"]
        return ServerReply(
            next((answer for prompt, answer in said.items() if prompt in told), completion("11"))
        )

    with serving(speaks) as server:
        judge = connected(Judge(server.url, "j", **QUICK))
        found = judge.score([*PROMPTS, "Who?"], [*RESPONSES, "Me."])
        assert np.isnan(found.values).all()
        assert found.errors == [
            "no grade in what it said",
            "cut short before the grade",
            "a grade of 11 on a scale from 1 to 10",
        ]
        assert found.raw == ["I love it", '{"reason": "long', "11"]
        judge.score([*PROMPTS, "Who?"], [*RESPONSES, "Me."])
        assert len(server.calls) == 3


def test_the_expected_grade_from_probabilities() -> None:
    with serving(always(candidates(**{"3": 0.5, " 4": 0.3, "4": 0.1, "The": 0.1}))) as server:
        judge = connected(Judge(server.url, "j", low=1, high=5, logprobs=True, **QUICK))
        assert judge.score(PROMPTS[:1], RESPONSES[:1]).values[0] == pytest.approx((3 * 0.5 + 4 * 0.4) / 0.9)
        assert (server.calls[0][1]["max_tokens"], server.calls[0][1]["top_logprobs"]) == (1, 20)
    with serving(always(candidates(**{"3": 0.2, "The": 0.8}))) as server:
        judge = connected(Judge(server.url, "j", low=1, high=5, logprobs=True, **QUICK))
        assert judge.score(PROMPTS[:1], RESPONSES[:1]).errors == [
            "only 20% of the probability lies on an answer"
        ]
    with pytest.raises(ValueError, match="one digit"):
        Judge("http://h", "j", logprobs=True)


def test_a_pair_is_asked_in_both_orders() -> None:
    """One judge prefers what is longer, wherever it stands; the other what stands first."""

    def longer(path: str, body: dict[str, Any], before: int) -> ServerReply:
        told = body["messages"][0]["content"]
        return ServerReply(
            completion('{"winner": "%s"}' % ("A" if told.index("Because") < told.index("Yes") else "B"))
        )

    with serving(longer) as server:
        judge = connected(PairwiseJudge(server.url, "j", **QUICK))
        assert isinstance(judge, PairJudge)
        found = judge.compare(["Why?"], ["Yes."], ["Because."])
        assert (found.straight.tolist(), found.swapped.tolist()) == ([-1], [-1])
        assert len(server.calls) == 2
    with serving(always(completion("[[A]]"))) as server:
        found = connected(PairwiseJudge(server.url, "j", **QUICK)).compare(["Why?"], ["Yes."], ["Because."])
        assert (found.straight.tolist(), found.swapped.tolist()) == ([1], [-1])
    with serving(always(candidates(A=0.6, B=0.2, x=0.2))) as server:
        judge = connected(PairwiseJudge(server.url, "j", logprobs=True, **QUICK))
        found = judge.compare(["Why?"], ["Yes."], ["Because."])
        assert found.straight[0] == pytest.approx(0.5)
        assert found.swapped[0] == pytest.approx(-0.5)


def test_half_a_comparison_is_none() -> None:
    def speaks(path: str, body: dict[str, Any], before: int) -> ServerReply:
        told = body["messages"][0]["content"]
        return ServerReply(completion("[[A]]" if told.index("Yes") < told.index("Because") else "garbage"))

    with serving(speaks) as server:
        found = connected(PairwiseJudge(server.url, "j", **QUICK)).compare(["Why?"], ["Yes."], ["Because."])
        assert np.isnan([found.straight[0], found.swapped[0]]).all()
        assert found.errors == ["no choice in what it said"]


def test_the_key_of_a_call_follows_all_that_changes_its_answer() -> None:
    def key(endpoint: Any, response: str = "Because.") -> str:
        return str(endpoint.calls("Why?", response)[0][0])

    base = Judge("http://a/v1", "j")
    others = [
        Judge("http://a/v1", "k"),
        Judge("http://a/v1", "j", revision="2"),
        Judge("http://a/v1", "j", temperature=0.5),
        Judge("http://a/v1", "j", high=5),
        Judge("http://a/v1", "j", schema=False),
        base.reworded(0),
        base.repeated(1),
        Classify("http://a", "j"),
    ]
    keys = [key(base), key(base, "Since."), *map(key, others)]
    assert len(set(keys)) == len(keys)
    assert key(Judge("http://b/v1", "j", concurrency=1)) == key(base)


def test_identities_name_no_url_and_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_API_KEY", "sk-secret")
    for endpoint in (
        Judge("http://private.example/v1", "j", key_env="X_API_KEY"),
        PairwiseJudge("http://private.example/v1", "j", key_env="X_API_KEY"),
        Embeddings("http://private.example/v1", "j", key_env="X_API_KEY"),
        Predict("http://private.example", "j"),
    ):
        assert isinstance(endpoint, Endpoint)
        assert "private" not in str(endpoint.identity)
        assert "secret" not in str(endpoint.identity)


def test_rubrics_need_their_places_and_are_filled_in_one_pass() -> None:
    with pytest.raises(ValueError, match="response"):
        Judge("http://h", "j", rubric="Rate {prompt}")
    assert filled("{a} {b} {c}", a="{b}", b="{a}") == "{b} {a} {c}"


def test_unknown_parameters_are_named() -> None:
    with pytest.raises(TypeError, match="paralel"):
        Judge("http://h", "j", paralel=3)


def test_expectations_are_means() -> None:
    """Weighted by hand: 2 * .25 + 4 * .75."""
    with serving(always(candidates(**{"2": 0.25, "4": 0.75}))) as server:
        judge = connected(Judge(server.url, "j", low=1, high=5, logprobs=True, **QUICK))
        value = judge.score(PROMPTS[:1], RESPONSES[:1]).values[0]
    assert math.isclose(value, 3.5, rel_tol=1e-9)
