"""UltraFeedback and sets like it: several completions of an instruction, each rated by a machine.

The ratings are scores, not answers: no person gave them.
"""

from collections.abc import Mapping, Sequence

from .draft import Draft
from .line import Line
from .registry import Format, marks
from .source import Source

USES = (
    "instruction", "prompt", "source", "models", "completions", "generations", "generation_models", "ratings",
    "rationales",
)  # fmt: skip


def read(draft: Draft, files: Sequence[Source]) -> None:
    draft.remark("Ratings of machines came in as scores, kept beside what people will say.", placed=False)

    def row(line: Line) -> None:
        category = [line.text("source")] if line.has("source") else []
        text = line.text("instruction" if "instruction" in line.row else "prompt")
        prompt = draft.prompt(text, category=category)
        if "completions" in line.row:
            for one in line.lines("completions"):
                _completion(draft, one, prompt)
        else:
            _flat(draft, line, prompt)

    draft.each(files, row, USES)


def _completion(draft: Draft, line: Line, prompt: str) -> None:
    response = draft.response(prompt, line.text("response"), line.text_or("model", ""))
    for name in ("overall_score", "fine-grained_score"):
        if line.has(name):
            draft.score(f"ultrafeedback/{name}", response, line.number(name))
    aspects = line.get("annotations")
    for aspect, told in aspects.items() if isinstance(aspects, Mapping) else ():
        # One aspect has one annotation, or a list of them.
        first = told[0] if isinstance(told, list) and told else told
        if isinstance(first, Mapping) and "Rating" in first:
            value = line.inner(f"annotations.{aspect}", first).number("Rating")
            if value is not None:
                draft.score(f"ultrafeedback/{aspect}", response, value)


def _flat(draft: Draft, line: Line, prompt: str) -> None:
    texts, models = line.elements("generations"), line.elements("generation_models")
    ratings = line.numbers("ratings") if line.has("ratings") or line.get("ratings") else []
    for place, text in enumerate(texts):
        if not isinstance(text, str) or not text:
            raise line.wrong(f"generations.{place}", "text", text)
        response = draft.response(prompt, text, str(models[place]) if place < len(models) else "")
        if place < len(ratings) and ratings[place] is not None:
            draft.score("ultrafeedback/rating", response, ratings[place])


FORMATS = [
    Format(
        "ultrafeedback", "UltraFeedback: completions rated by a machine", read,
        marks("instruction completions", "instruction generations", "prompt generations"),
        "OpenBMB/UltraFeedback, README; argilla-io/distilabel (generations, generation_models, ratings)",
    ),
]  # fmt: skip
