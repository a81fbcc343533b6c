"""What pages of annotate lead to, though judging does it: a study with its scores."""

from django.urls import path

from annotate.views.later import later

urlpatterns = [
    path("desk/upload/", later("judging.folder.views.upload"), name="upload"),
    path("studies/<slug:slug>/items/by-distance/", later("judging.folder.views.strata"), name="strata"),
    path("studies/<slug:slug>/delete/", later("judging.folder.views.delete"), name="delete"),
]
