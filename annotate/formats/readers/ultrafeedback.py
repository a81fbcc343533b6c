"""UltraFeedback and sets like it: several completions of an instruction, each rated by a machine.

The ratings are scores, not answers: no person gave them.
"""

from collections.abc import Mapping, Sequence

from ..line import Line
from ..records import Records
from ..registry import Format, marks
from ..source import Source


def read(records: Records, files: Sequence[Source]) -> None:
    records.remark("Ratings of machines came in as scores, kept beside what people will say.", placed=False)

    def row(line: Line) -> None:
        category = [line.text("source")] if line.has("source") else []
        prompt = records.prompt(
            line.words("instruction" if "instruction" in line.row else "prompt"), category=category
        )
        if "completions" in line.row:
            for one in line.lines("completions"):
                _completion(records, one, prompt)
        else:
            _flat(records, line, prompt)

    records.each(files, row)


def _completion(records: Records, line: Line, prompt: str) -> None:
    response = records.response(prompt, line.answer("response"), line.text_or("model", ""))
    for name in ("overall_score", "fine-grained_score"):
        if line.has(name):
            records.score(f"ultrafeedback/{name}", response, line.number(name))
    aspects = line.inner("annotations", line.object("annotations")) if line.has("annotations") else None
    for aspect in aspects.row if aspects else ():
        value = _rating(aspects, aspect) if aspects else None
        if value is not None:
            records.score(f"ultrafeedback/{aspect}", response, value)


def _rating(aspects: Line, aspect: str) -> float | None:
    """One aspect has one annotation, or a list of them."""
    annotation = aspects.row[aspect]
    first = annotation[0] if isinstance(annotation, list) and annotation else annotation
    if not isinstance(first, Mapping) or "Rating" not in first:
        return None
    aspects.get(aspect)
    return aspects.inner(aspect, first).number("Rating")


def _flat(records: Records, line: Line, prompt: str) -> None:
    texts, models = line.answers("generations"), line.elements("generation_models")
    ratings = line.numbers("ratings") if line.has("ratings") or line.get("ratings") else []
    for name, values in (("generation_models", models), ("ratings", ratings)):
        if values and len(values) != len(texts):
            raise line.wrong(name, f"as many as generations, which are {len(texts)}", values)
    for place, text in enumerate(texts):
        response = records.response(prompt, text, str(models[place]) if place < len(models) else "")
        if place < len(ratings) and ratings[place] is not None:
            records.score("ultrafeedback/rating", response, ratings[place])


FORMATS = [
    Format(
        "ultrafeedback", "UltraFeedback: completions rated by a machine", read,
        marks("instruction completions", "instruction generations generation_models",
              "instruction generations ratings", "prompt generations generation_models", "prompt generations ratings"),
        "OpenBMB/UltraFeedback, README; argilla-io/distilabel (generations, generation_models, ratings)",
        scores=True,
    ),
]  # fmt: skip
