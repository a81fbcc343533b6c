"""What other tools' judges and reward models said, read from their own files and joined to a study."""

from judging.outputs.joining import Joined, Joiner
from judging.outputs.readers import FORMATS, read
from judging.outputs.storing import ConflictError, store

__all__ = ["FORMATS", "ConflictError", "Joined", "Joiner", "read", "store"]
