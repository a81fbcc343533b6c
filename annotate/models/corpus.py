from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Length

from annotate.unseen import is_blank

# Longer texts of spaces alone are not looked for.
_LONGEST_BLANK = 200

# The source of texts that a researcher wrote into practice and gold items: no LLM's, and no part of any pool.
PLANTED = "planted"


def planted(response: str = "") -> Q:
    """What is no part of the pool, among responses or among rows that reach one by this path (`response__`)."""
    return Q(**{f"{response}source": PLANTED})


class PromptQuerySet(models.QuerySet["Prompt"]):
    def in_pool(self) -> "PromptQuerySet":
        """Those that sources answered, or will: not those of which there are planted texts only."""
        texts = Response.objects.filter(prompt=OuterRef("pk"))
        return self.filter(Exists(texts.in_pool()) | ~Exists(texts))


class ResponseQuerySet(models.QuerySet["Response"]):
    def in_pool(self) -> "ResponseQuerySet":
        """What results are about: every response that a source wrote, judged or not."""
        return self.exclude(planted())

    def n_blank(self) -> int:
        """How many have nothing in them that anybody sees."""
        short = self.annotate(length=Length("text")).filter(length__lte=_LONGEST_BLANK)
        return sum(map(is_blank, short.values_list("text", flat=True).iterator()))


class Prompt(models.Model):
    """What LLMs were asked. `key` is the study folder's `prompt_id`."""

    study = models.ForeignKey("annotate.Study", on_delete=models.PROTECT, related_name="prompts")
    key = models.CharField(max_length=200)
    text = models.TextField()
    language = models.CharField(max_length=35, default="en", help_text="BCP 47")
    category = models.JSONField(default=list, blank=True)

    objects = PromptQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "key"], name="prompt_key_once_a_study"),
        ]

    def __str__(self) -> str:
        return self.key


class Response(models.Model):
    """What one source answered. Its `key` may name the source, so neither key nor source goes to an annotator."""

    study = models.ForeignKey("annotate.Study", on_delete=models.PROTECT, related_name="responses")
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="responses")
    key = models.CharField(max_length=200)
    # Empty is a real answer: some LLMs return nothing, and people judge that too.
    text = models.TextField(blank=True)
    source = models.CharField(max_length=200)
    sample = models.IntegerField(null=True, blank=True)
    params = models.JSONField(null=True, blank=True)
    held_back = models.TextField(blank=True, help_text="reason for not showing it; empty: shown")

    objects = ResponseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "key"], name="response_key_once_a_study"),
        ]
        indexes = [models.Index(fields=["study"], condition=~Q(held_back=""), name="response_held_back")]

    def __str__(self) -> str:
        return self.key
