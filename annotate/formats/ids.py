"""Ids and hashes of texts: the same text has the same ones in the next file too."""

import hashlib

from django.utils.text import slugify

WORDS, LONGEST_WORDS = 6, 48


def digest(*parts: object) -> str:
    """A name made of what is named."""
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def response_digest(prompt: str, source: str, text: str, sample: int | None) -> str:
    return digest(prompt, source, text, "" if sample is None else sample)


def words_of(text: str) -> str:
    """The first words of a prompt as an id; of one without Latin letters, the word prompt."""
    words = slugify(text[:200]).strip("-_").split("-")
    return "-".join(words[:WORDS])[:LONGEST_WORDS].strip("-_") or "prompt"


def text_hash(*parts: object) -> int:
    return int(digest(*parts), 16)
