"""Small studies made through the models. Nothing here is random."""

from collections.abc import Sequence

from annotate import design
from annotate.kinds import ItemKind
from annotate.models import Annotator, Assignment, Criterion, Item, ItemResponse, Prompt, Response, Study

ASKED: dict[str, list[tuple[str, str, dict[str, object]]]] = {
    "single": [("quality", "rating", {"scale_low": 1, "scale_high": 5, "measures": "quality"})],
    "pair": [
        ("preference", "preference", {"measures": "quality"}),
        ("similarity", "similarity", {"scale_low": 0, "scale_high": 4, "measures": "similarity"}),
    ],
    "set": [("grouping", "grouping", {"measures": "similarity"})],
}


def make_study(
    slug: str = "tiny",
    *,
    prompts: int = 2,
    responses: int = 4,
    seats: int = 3,
    kinds: Sequence[str] = ("single", "pair", "set"),
    words: int = 12,
) -> Study:
    """Per prompt: a single item a response, a pair of the first two, a set of all, as `kinds` says."""
    study = Study.objects.create(slug=slug, title=f"Study {slug}", seats=seats, seed=7)
    asked = [(on, *row) for on in kinds for row in ASKED[on]]
    for position, (on, key, kind, extra) in enumerate(asked):
        Criterion.objects.create(
            study=study, key=key, position=position, on=on, kind=kind, text=f"Question {key}?", **extra
        )
    for p in range(prompts):
        prompt = Prompt.objects.create(study=study, key=f"p{p}", text=f"Prompt number {p}: write about time.")
        texts = [
            Response(
                study=study,
                prompt=prompt,
                key=f"secret-model-{p}-{r}",
                text=f"Response {r} to {p}. " + "Time is a river and we are its fish. " * (words // 9),
                source="secret-model",
            )
            for r in range(responses)
        ]
        _make_items(study, prompt, Response.objects.bulk_create(texts), kinds)
    return study


def _make_items(study: Study, prompt: Prompt, pool: list[Response], kinds: Sequence[str]) -> None:
    shown: list[tuple[str, list[Response]]] = []
    if "single" in kinds:
        shown += [("single", [r]) for r in pool]
    if "pair" in kinds:
        shown.append(("pair", pool[:2]))
    if "set" in kinds:
        shown.append(("set", pool))
    for n, (kind, responses) in enumerate(shown):
        make_item(study, prompt, f"{prompt.key}-{kind}-{n}", kind, responses)


def make_item(study: Study, prompt: Prompt, key: str, kind: str, responses: Sequence[Response]) -> Item:
    item = Item.objects.create(
        study=study,
        prompt=prompt,
        key=key,
        kind=ItemKind(kind),
        prompt_place=design.place(study.seed, "prompt", prompt.key),
        place=design.place(study.seed, "item", key),
    )
    ItemResponse.objects.bulk_create(
        ItemResponse(item=item, response=r, position=n) for n, r in enumerate(responses)
    )
    Assignment.objects.bulk_create(
        Assignment(study=study, item=item, number=n, rank=design.seat_rank(n, item.prompt_place))
        for n in range(1, study.seats + 1)
    )
    return item


def make_annotator(study: Study, key: str = "ann") -> Annotator:
    return Annotator.objects.create(study=study, key=key)
