"""What other tools' judges and reward models said, read from their own files and joined to a study."""

from judging.imports.outputs.matching import Joined, Joiner
from judging.imports.outputs.readers import FORMATS, read
from judging.imports.outputs.storing import ConflictError, store

__all__ = ["FORMATS", "ConflictError", "Joined", "Joiner", "read", "store"]
