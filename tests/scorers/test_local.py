"""Local models: tiny ones with random weights, through the code that loads real ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from judging.scorers import Embedder, Scorer, load_entry
from judging.scorers.sentence import SentenceEmbedder
from judging.scorers.transformer import CrossEncoder, MeanLogProbability, RewardModel
from tests.scorers import tiny

PROMPTS = ["What is time?", "What is a river?", "What is time?"]
RESPONSES = ["Time is a river and we are its fish.", "fish", "Time is what a clock measures, and more. " * 2]


def by_hand(folder: str, prompt: str, response: str) -> float:
    """One conversation, no padding, tokens as the template writes them."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    model.config.pad_token_id = None
    told = f"<s><|user|>{prompt}</s><|assistant|>{response}</s>"
    ids = tokenizer(told, add_special_tokens=False, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        return float(model(input_ids=ids).logits[0, 0])


@pytest.mark.parametrize("pad", [True, False])
def test_a_reward_model_gives_the_raw_logit_of_the_whole_conversation(tmp_path: Path, pad: bool) -> None:
    """In a batch of unequal lengths as alone; with a pad token and, the usual trap, without one."""
    folder = tiny.reward_model(tmp_path, pad=pad)
    scorer = load_entry({"class": "judging.scorers.transformer.RewardModel", "model": folder})
    assert isinstance(scorer, Scorer)
    found = scorer.score(PROMPTS, RESPONSES)
    expected = [by_hand(folder, p, r) for p, r in zip(PROMPTS, RESPONSES, strict=True)]
    assert np.allclose(found.values, expected, atol=1e-5)
    assert np.array_equal(found.values, scorer.score(PROMPTS, RESPONSES).values)
    assert len(set(np.round(found.values, 4))) == 3


def test_the_first_token_is_there_once(tmp_path: Path) -> None:
    model = RewardModel(tiny.reward_model(tmp_path))
    ids = model._conversation("What is time?", "fish")
    assert ids.count(model.tokenizer.bos_token_id) == 1
    told = [{"role": "user", "content": "time"}]
    trap = model.tokenizer(model.tokenizer.apply_chat_template(told, tokenize=False))["input_ids"]
    assert trap.count(model.tokenizer.bos_token_id) == 2


def test_what_is_cut_is_marked(tmp_path: Path) -> None:
    folder = tiny.reward_model(tmp_path)
    long = "time " * 100
    assert RewardModel(folder).score(PROMPTS[:2], [long, "fish"]).truncated.tolist() == [True, False]
    assert RewardModel(folder, max_tokens=5).score(PROMPTS[:1], ["fish"]).truncated.tolist() == [True]


def test_reward_models_that_can_not_be_used_say_why(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no chat template"):
        RewardModel(tiny.reward_model(tmp_path / "a", template=False))
    several = tiny.reward_model(tmp_path / "b", labels=2)
    with pytest.raises(ValueError, match="2 outputs; name one"):
        RewardModel(several)
    first, second = (RewardModel(several, label=n).score(PROMPTS, RESPONSES).values for n in (0, 1))
    assert not np.allclose(first, second)
    with pytest.raises(ValueError, match="can't be made"):
        load_entry({"class": "judging.scorers.transformer.RewardModel", "model": str(tmp_path / "nowhere")})


@pytest.mark.parametrize("template", [True, False])
def test_log_probability_is_of_the_response_alone(tmp_path: Path, template: bool) -> None:
    folder = tiny.language_model(tmp_path, template=template)
    scorer = MeanLogProbability(folder)
    found = scorer.score(PROMPTS, RESPONSES)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    for n, (prompt, response) in enumerate(zip(PROMPTS, RESPONSES, strict=True)):
        before = f"<s><|user|>{prompt}</s><|assistant|>" if template else f"<s>{prompt}\n\n"
        start = tokenizer(before, add_special_tokens=False)["input_ids"]
        said = tokenizer(response, add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            log_p = model(input_ids=torch.tensor([start + said])).logits[0].log_softmax(-1)
        expected = np.mean([float(log_p[len(start) + k - 1, token]) for k, token in enumerate(said)])
        assert found.values[n] == pytest.approx(expected, abs=1e-5)
    assert (found.values < 0).all()


def test_log_probability_of_nothing_is_undefined(tmp_path: Path) -> None:
    scorer = MeanLogProbability(tiny.language_model(tmp_path))
    found = scorer.score(["time", "time " * 80, "time"], ["", "fish", "time " * 80])
    assert np.isnan(found.values).tolist() == [True, True, False]
    assert [bool(e) for e in found.errors] == [True, True, False]
    assert found.truncated.tolist() == [False, True, True]


def test_a_cross_encoder_gives_its_raw_output(tmp_path: Path) -> None:
    folder = tiny.cross_encoder(tmp_path)
    scorer = CrossEncoder(folder)
    found = scorer.score(PROMPTS, RESPONSES)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    for n, (prompt, response) in enumerate(zip(PROMPTS, RESPONSES, strict=True)):
        with torch.no_grad():
            told = tokenizer(prompt, response, return_tensors="pt", truncation=True, max_length=32)
            assert found.values[n] == pytest.approx(float(model(**told).logits[0, 0]), abs=1e-5)
    assert scorer.score(["time"], ["fish " * 40]).truncated.tolist() == [True]


def test_any_embedder_by_its_folder_with_prefix_or_prompt(tmp_path: Path) -> None:
    folder = tiny.sentence_embedder(tmp_path)
    made: list[Any] = [
        SentenceEmbedder(folder),
        SentenceEmbedder(folder, prefix="query : "),
        SentenceEmbedder(folder, prompt="query"),
        SentenceEmbedder(folder, prompt="passage"),
    ]
    assert all(isinstance(m, Embedder) for m in made)
    plain, prefixed, prompted, other = (m.embed(RESPONSES).vectors for m in made)
    assert np.allclose(np.linalg.norm(plain, axis=1), 1, atol=1e-6)
    assert np.allclose(prefixed, prompted, atol=1e-6)
    assert not np.allclose(plain, prefixed, atol=1e-3)
    assert not np.allclose(prefixed, other, atol=1e-3)
    assert np.allclose(made[0].embed(["query : " + r for r in RESPONSES]).vectors, prefixed, atol=1e-6)
    assert len({str(m.identity) for m in made}) == 3
    with pytest.raises(ValueError, match=r"it has .*query"):
        SentenceEmbedder(folder, prompt="question")


def test_an_embedder_marks_what_it_cut(tmp_path: Path) -> None:
    model = SentenceEmbedder(tiny.sentence_embedder(tmp_path), max_tokens=10)
    assert model.embed(["time " * 8, "time " * 9, "", "x" * 50]).truncated.tolist() == [
        False,
        True,
        False,
        False,
    ]


def test_other_weights_are_another_scorer(tmp_path: Path) -> None:
    folder = tiny.reward_model(tmp_path)
    before = RewardModel(folder).identity
    assert before == RewardModel(folder).identity
    assert before != RewardModel(folder, max_tokens=9).identity
    (tmp_path / "chat_template.jinja").write_text(tiny.TEMPLATE + " ")
    assert before != RewardModel(folder).identity
    assert str(tmp_path) not in str(before)
