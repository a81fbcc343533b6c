"""Studies with stages, and an annotator who goes through them."""

from typing import Any

from django.test import Client

from annotate.kinds import ItemKind
from annotate.models import Annotator, Item, ItemResponse, Study
from annotate.views.access import invite_path
from tests.annotate.test_journey import fill, url
from tests.factories import make_study

CHECKS = [
    {"text": "Is long good?", "options": ["Always", "Not by itself"], "right": 1},
    {"text": "Whose taste counts?", "options": ["Yours", "Ours"], "right": 0},
]


def study_with(slug: str = "tiny", *, shape: dict[str, Any] | None = None, **fields: Any) -> Study:
    wanted: dict[str, Any] = {"prompts": 1, "kinds": ["single"]} | (shape or {})
    study = make_study(slug, **wanted)
    Study.objects.filter(pk=study.pk).update(**fields)
    study.refresh_from_db()
    return study


def add_practice(study: Study, expected: dict[str, Any] | None, key: str = "practice-0") -> Item:
    main = study.items.filter(kind=ItemKind.SINGLE).order_by("pk").first()
    assert main is not None
    item = Item.objects.create(
        study=study, prompt=main.prompt, key=key, kind=main.kind, role="practice", expected=expected
    )
    shown = main.item_responses.get().response
    ItemResponse.objects.create(item=item, response=shown, position=0)
    return item


def see(client: Client, path: str, **data: str) -> tuple[str, str]:
    """Where one ends up and what stands there."""
    response = client.post(path, data, follow=True) if data else client.get(path, follow=True)
    chain = response.redirect_chain
    return (chain[-1][0] if chain else path), response.content.decode()


def step(study: Study, name: str) -> str:
    return f"{url(study)}{name}/"


def started(study: Study) -> Client:
    client = Client()
    client.post(invite_path(study))
    return client


def annotator() -> Annotator:
    return Annotator.objects.get()


def submit(client: Client, study: Study) -> tuple[str, str]:
    return see(client, url(study), **fill(client.get(url(study), follow=True).content.decode()))
