"""What a stored study has, for files that add to it."""

from annotate.folder.study_toml import spec_of
from annotate.models import ItemResponse, Study
from annotate.texts import one_newline

from .ids import digest, response_digest, text_hash
from .options import Existing


def existing(study: Study) -> Existing:
    """What new rows may refer to."""
    existing = Existing(spec_of(study))
    for key, text in study.prompts.values_list("key", "text").iterator():
        existing.prompts[key] = text_hash(one_newline(text))
    for key, prompt, text in study.responses.values_list("key", "prompt__key", "text").iterator():
        existing.responses[key] = prompt, text_hash(one_newline(text))
    shown = ItemResponse.objects.filter(item__study=study).order_by("item", "position")
    for item, kind, response in shown.values_list("item__key", "item__kind", "response__key").iterator():
        existing.items[item] = kind, (*existing.items.get(item, ("", ()))[1], response)
    existing.annotators = set(study.annotators.values_list("key", flat=True))
    return existing


def existing_pool(study: Study) -> Existing:
    """Its texts alone: what files ask beside them is no matter of the pool."""
    there = existing(study)
    there.spec, there.items = there.spec.model_copy(update={"criterion": []}), {}
    return there


def ids_of(study: Study) -> dict[str, str]:
    """Ids of the study's texts by digest: what comes again is what is there."""
    ids = {
        digest(one_newline(text)): key for key, text in study.prompts.values_list("key", "text").iterator()
    }
    rows = study.responses.values_list("key", "prompt__key", "source", "text", "sample")
    for key, prompt, source, text, sample in rows.iterator():
        ids.setdefault(response_digest(prompt, source, one_newline(text), sample), key)
    return ids
