from django.db import OperationalError
from django.test import RequestFactory

from annotate.config.middleware import BusyMiddleware


def test_a_locked_database_is_told_in_words(rf: RequestFactory) -> None:
    middleware = BusyMiddleware(lambda request: None)  # type: ignore[arg-type, return-value]
    response = middleware.process_exception(rf.get("/"), OperationalError("database is locked"))
    assert response is not None
    assert response.status_code == 503
    assert "<h1>Busy" in response.content.decode()
    assert response["Retry-After"] == "10"
    assert middleware.process_exception(rf.get("/"), ValueError("something else")) is None
