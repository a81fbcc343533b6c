"""Scorers by transformers, here: reward models, cross-encoders, and how likely a language model finds a response."""

import os
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from judging.scorers.protocol import Identity, Scores
from judging.scorers.sentence import weights_of

# Tokenizers without a limit of their own say 10**30.
NO_LIMIT = 1_000_000


class _Local:
    """A model in a folder or in the local cache, on the GPU where there is one."""

    def __init__(self, model: str, max_tokens: int | None, revision: str | None, batch_size: int) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"
        import torch
        from transformers import AutoTokenizer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # type: ignore[no-untyped-call]
        self.name, self.revision, self.batch_size = model, revision, batch_size
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.dtype = torch.bfloat16 if self.device == "cuda" else torch.float32
        self.tokenizer: Any = AutoTokenizer.from_pretrained(model, revision=revision, local_files_only=True)
        self.loading: Any = {"revision": revision, "dtype": self.dtype, "local_files_only": True}
        self._wanted = max_tokens
        self.model: Any = None

    def place(self, model: Any) -> None:
        """Take a loaded model: no dropout, on the device."""
        self.model = model.eval().to(self.device)
        own = getattr(self.model.config, "max_position_embeddings", None)
        limits = [n for n in (self.tokenizer.model_max_length, own, self._wanted) if n and n < NO_LIMIT]
        self.max_tokens = min(limits) if limits else NO_LIMIT

    @property
    def identity(self) -> Identity:
        """Model, hash of its weights, how much it reads, what runs it and how exactly."""
        return {
            "model": Path(self.name).name if Path(self.name).exists() else self.name,
            "revision": self.revision,
            **weights_of(self.name),
            "max_tokens": self.max_tokens,
            "dtype": str(self.dtype),
            "transformers": version("transformers"),
        }

    def tokens(self, rendered: str) -> list[int]:
        """Tokens of a rendered chat template. It holds the special tokens already: adding them doubles the first."""
        ids: list[int] = self.tokenizer(rendered, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    def batches(self, conversations: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        """Places of conversations of like length, so that little is padded; longest first."""
        order = sorted(range(len(conversations)), key=lambda n: -len(conversations[n]))
        for start in range(0, len(order), self.batch_size):
            yield order[start : start + self.batch_size]

    def padded(self, rows: Sequence[Sequence[int]]) -> tuple[Any, Any]:
        """Token ids and attention mask, padded on the right."""
        import torch

        pad, width = self.pad(rows), max(map(len, rows))
        ids = torch.tensor([[*row, *[pad] * (width - len(row))] for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        return ids.to(self.device), mask.to(self.device)

    def pad(self, rows: Sequence[Sequence[int]]) -> int:
        """The model's pad token; without one, a token that none of the rows has.

        The end-of-text token, the usual stand-in, may be the very token whose score is wanted, and would be taken
        for padding.
        """
        own = self.tokenizer.pad_token_id
        if own is None:
            used = {token for row in rows for token in row}
            own = next(n for n in range(self.model.config.vocab_size) if n not in used)
        self.model.config.pad_token_id = own
        return int(own)


class RewardModel(_Local):
    """A reward model: sequence classification with one output, over the conversation in its own chat template.

    Parameters
    ----------
    model : str
        Folder, or a name that the local cache knows: nothing is downloaded.
    max_tokens : int, optional
        What is read of a conversation; the model's own limit if that is smaller. What is longer is marked.
    label : int, optional
        Which of several outputs is the score.
    revision : str, optional
        Of a model by name.
    batch_size : int
        Conversations computed at once.

    Raises
    ------
    ValueError
        If the model has no chat template, or several outputs and no `label`.

    Notes
    -----
    The score is the raw logit: a sigmoid would press good responses together. Its scale is the model's own.
    """

    def __init__(
        self,
        model: str,
        *,
        max_tokens: int | None = None,
        label: int | None = None,
        revision: str | None = None,
        batch_size: int = 8,
    ) -> None:
        super().__init__(model, max_tokens, revision, batch_size)
        from transformers import AutoModelForSequenceClassification

        self.place(AutoModelForSequenceClassification.from_pretrained(model, **self.loading))
        if not self.tokenizer.chat_template:
            raise ValueError(f"{model} has no chat template; a cross-encoder needs none")
        if label is None and self.model.config.num_labels != 1:
            raise ValueError(f"{model} has {self.model.config.num_labels} outputs; name one by `label`")
        self.label = label or 0

    @property
    def identity(self) -> Identity:
        """Model, weights, limits and which output."""
        return super().identity | {"label": self.label}

    def score(self, prompts: Sequence[str], responses: Sequence[str]) -> Scores:
        """Return the logit of each conversation.

        Parameters
        ----------
        prompts, responses : sequence of str, length n

        Returns
        -------
        Scores
        """
        import torch

        rows = [self._conversation(p, r) for p, r in zip(prompts, responses, strict=True)]
        cut = np.array([len(row) > self.max_tokens for row in rows], dtype=np.bool_)
        rows = [row[: self.max_tokens] for row in rows]
        values = np.full(len(rows), np.nan)
        for places in self.batches(rows):
            ids, mask = self.padded([rows[n] for n in places])
            with torch.inference_mode():
                logits = self.model(input_ids=ids, attention_mask=mask).logits[:, self.label]
            values[places] = logits.float().cpu().numpy()
        return Scores(values, cut)

    def _conversation(self, prompt: str, response: str) -> list[int]:
        messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
        return self.tokens(self.tokenizer.apply_chat_template(messages, tokenize=False))


class MeanLogProbability(_Local):
    """How likely a causal language model finds a response to its prompt: nats a token, so at most 0.

    Parameters
    ----------
    model, max_tokens, revision, batch_size
        As for `RewardModel`.
    template : str, optional
        What stands before the response, with ``{prompt}``, for models without a chat template.

    Notes
    -----
    The mean of log p(token | prompt, tokens before) over the response's tokens only. The perplexity of a whole
    conversation, prompt included, mixes in how usual the prompt is.
    """

    def __init__(
        self,
        model: str,
        *,
        max_tokens: int | None = None,
        template: str = "{prompt}\n\n",
        revision: str | None = None,
        batch_size: int = 4,
    ) -> None:
        super().__init__(model, max_tokens, revision, batch_size)
        from transformers import AutoModelForCausalLM

        self.place(AutoModelForCausalLM.from_pretrained(model, **self.loading))
        self.template = "" if self.tokenizer.chat_template else template

    @property
    def identity(self) -> Identity:
        """Model, weights, limits and the template."""
        return super().identity | {"template": self.template}

    def score(self, prompts: Sequence[str], responses: Sequence[str]) -> Scores:
        """Return the mean log-probability of each response's tokens.

        Parameters
        ----------
        prompts, responses : sequence of str, length n

        Returns
        -------
        Scores
            NaN and an error for a response without tokens, or one that the model's limit leaves no room for.
        """
        before = [self._before(prompt) for prompt in prompts]
        tokens_of = [self.tokens(response) for response in responses]
        rows = [b + s for b, s in zip(before, tokens_of, strict=True)]
        cut = np.array([len(row) > self.max_tokens for row in rows], dtype=np.bool_)
        rows = [row[: self.max_tokens] for row in rows]
        starts = [max(1, len(b)) for b in before]
        values = np.full(len(rows), np.nan)
        sound = [n for n, row in enumerate(rows) if len(row) > starts[n]]
        for places in self.batches([rows[n] for n in sound]):
            group = [sound[n] for n in places]
            values[group] = self._means([rows[n] for n in group], [starts[n] for n in group])
        errors = [
            "" if n in set(sound) else "no tokens to judge: empty, or the prompt fills what the model reads"
            for n in range(len(rows))
        ]
        return Scores(values, cut, errors)

    def _before(self, prompt: str) -> list[int]:
        if self.template:
            first = [] if self.tokenizer.bos_token_id is None else [self.tokenizer.bos_token_id]
            return first + self.tokens(self.template.replace("{prompt}", prompt))
        messages = [{"role": "user", "content": prompt}]
        rendered = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return self.tokens(rendered)

    def _means(self, rows: Sequence[Sequence[int]], starts: Sequence[int]) -> npt.NDArray[np.float64]:
        import torch

        ids, mask = self.padded(rows)
        with torch.inference_mode():
            logits = self.model(input_ids=ids, attention_mask=mask).logits[:, :-1].float()
            # Only what is wanted is normalized: the whole would be as large as the vocabulary once more.
            chosen = logits.gather(2, ids[:, 1:, None])[:, :, 0] - logits.logsumexp(2)
        log_probabilities = chosen.cpu().numpy().astype(np.float64)
        return np.array(
            [
                log_probabilities[n, start - 1 : len(row) - 1].mean()
                for n, (row, start) in enumerate(zip(rows, starts, strict=True))
            ]
        )


class CrossEncoder:
    """A cross-encoder by sentence-transformers: its raw output for prompt and response.

    A relevance reranker says whether a response is about the prompt, not whether it is good.

    Parameters
    ----------
    model : str
        Folder, or a name that the local cache knows.
    max_tokens : int, optional
        What is read of a pair.
    revision : str, optional
        Of a model by name.
    batch_size : int
        Pairs computed at once.

    Raises
    ------
    ValueError
        If the model has several outputs.
    """

    def __init__(
        self,
        model: str,
        *,
        max_tokens: int | None = None,
        revision: str | None = None,
        batch_size: int = 32,
    ) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"
        from sentence_transformers import CrossEncoder as Model
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # type: ignore[no-untyped-call]
        self.name, self.revision, self.batch_size = model, revision, batch_size
        self._model = Model(model, revision=revision, max_length=max_tokens, local_files_only=True)
        if self._model.num_labels != 1:
            raise ValueError(f"{model} has {self._model.num_labels} outputs; a scorer has one")
        self.max_tokens = int(self._model.max_seq_length or NO_LIMIT)

    @property
    def identity(self) -> Identity:
        """Model, hash of its weights, how much it reads, what runs it."""
        return {
            "model": Path(self.name).name if Path(self.name).exists() else self.name,
            "revision": self.revision,
            **weights_of(self.name),
            "max_tokens": self.max_tokens,
            "sentence-transformers": version("sentence-transformers"),
        }

    def score(self, prompts: Sequence[str], responses: Sequence[str]) -> Scores:
        """Return the raw output for each pair.

        Parameters
        ----------
        prompts, responses : sequence of str, length n

        Returns
        -------
        Scores
        """
        from torch.nn import Identity as Raw

        pairs = list(zip(prompts, responses, strict=True))
        values = self._model.predict(
            pairs, batch_size=self.batch_size, activation_fn=Raw(), show_progress_bar=False
        )
        tokens: Any = self._model.tokenizer(list(prompts), list(responses), truncation=False, verbose=False)
        cut = np.array([len(ids) > self.max_tokens for ids in tokens["input_ids"]], dtype=np.bool_)
        return Scores(np.asarray(values, dtype=np.float64).reshape(len(pairs)), cut)
