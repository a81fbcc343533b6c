from django.urls import include, path

from annotate.api.urls import LIST, ONE, PUSH
from judging.results import COMPUTED
from judging.results.api import endpoint

from . import docs, views

urlpatterns = [
    path("", docs.root, name="api-root"),
    path("schema/", docs.schema, name="api-schema"),
    path("docs/", docs.docs, name="api-docs"),
    path("", include("annotate.api.urls")),
    path("scorers/", views.Scorers.as_view(LIST), name="api-scorers"),
    path("studies/<slug:slug>/scorers/", views.Stored.as_view(LIST), name="api-stored-list"),
    path("studies/<slug:slug>/scorers/<int:pk>/", views.Stored.as_view(ONE), name="api-stored"),
    path("studies/<slug:slug>/runs/", views.Runs.as_view(PUSH), name="api-runs"),
    path(
        "studies/<slug:slug>/runs/<int:pk>/", views.Runs.as_view(ONE | {"delete": "destroy"}), name="api-run"
    ),
    path("studies/<slug:slug>/scores/", views.Scores.as_view(PUSH), name="api-scores"),
    path("studies/<slug:slug>/verdicts/", views.Verdicts.as_view(LIST), name="api-verdicts"),
    *(
        path(f"studies/<slug:slug>/{name}/", endpoint(name).as_view(ONE), name=f"api-{name}")
        for name in COMPUTED
    ),
    path("studies/<slug:slug>/exports/", views.Exports.as_view(PUSH), name="api-exports"),
    path("studies/<slug:slug>/exports/<slug:name>/", views.Exports.as_view(ONE), name="api-export"),
    path(
        "studies/<slug:slug>/exports/<slug:name>/file/",
        views.Exports.as_view({"get": "download"}),
        name="api-export-file",
    ),
]
