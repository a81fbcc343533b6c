"""Limits on how much of a request is written to disk before it is checked."""

from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler


class Bounded(FileUploadHandler):
    """Counts the files of a request as they arrive; without an account, none are accepted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.came = 0

    def handle_raw_input(
        self, input_data: IO[bytes], META: dict[str, str], content_length: int, *args: Any, **kwargs: Any
    ) -> None:
        # Forms' fields come besides, and are bounded by themselves.
        if content_length > self._most() + settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise self._refused()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if not self._most():
            raise self._refused()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.came += len(raw_data)
        if self.came > self._most():
            self._drop()
            raise self._refused()
        return raw_data

    def _drop(self) -> None:
        # What came of this file so far lies on the disk already.
        for handler in self.request.upload_handlers if self.request else ():
            handler.upload_interrupted()

    def file_complete(self, file_size: int) -> None:
        return None

    def _most(self) -> int:
        user = getattr(self.request, "user", None)
        return int(settings.UPLOAD_MOST_BYTES) if user is not None and user.is_authenticated else 0

    def _refused(self) -> RequestDataTooBig:
        if most := self._most():
            return RequestDataTooBig(f"At most {most // 2**20:,} MB can be sent at once.")
        return RequestDataTooBig("Log in before uploading a file.")
