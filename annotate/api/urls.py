from typing import Any

from django.urls import path

from . import views

ONE: dict[str, Any] = {"get": "retrieve"}
LIST: dict[str, Any] = {"get": "list"}
PUSH = LIST | {"post": "create"}

# Ids in a study may hold anything, slashes too.
urlpatterns = [
    path("studies/", views.Studies.as_view(PUSH), name="api-studies"),
    path("studies/<slug:slug>/", views.Studies.as_view(ONE | {"patch": "partial_update"}), name="api-study"),
    path("studies/<slug:slug>/prompts/", views.Prompts.as_view(PUSH), name="api-prompts"),
    path("studies/<slug:slug>/prompts/<path:key>/", views.Prompts.as_view(ONE), name="api-prompt"),
    path("studies/<slug:slug>/responses/", views.Responses.as_view(PUSH), name="api-responses"),
    path("studies/<slug:slug>/responses/<path:key>/", views.Responses.as_view(ONE), name="api-response"),
    path("studies/<slug:slug>/items/", views.Items.as_view(PUSH), name="api-items"),
    path("studies/<slug:slug>/items/<path:key>/", views.Items.as_view(ONE), name="api-item"),
    path("studies/<slug:slug>/seats/", views.Seats.as_view(LIST), name="api-seats"),
    path("studies/<slug:slug>/annotators/", views.Annotators.as_view(LIST), name="api-annotators"),
    path("studies/<slug:slug>/annotators/<path:key>/", views.Annotators.as_view(ONE), name="api-annotator"),
    path("studies/<slug:slug>/judgments/", views.Judgments.as_view(LIST), name="api-judgments"),
    path("studies/<slug:slug>/judgments/<int:pk>/", views.Judgments.as_view(ONE), name="api-judgment"),
]
