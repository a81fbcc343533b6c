"""The pages of all results."""

from django.urls import path

from judging.results import COMPUTED
from judging.results.glance import glance
from judging.results.views import methods, page

urlpatterns = [
    *(path(f"studies/<slug:slug>/{name}/", page(name), name=name) for name in COMPUTED),
    path("studies/<slug:slug>/glance/", glance, name="glance"),
    path("methods/", methods, name="methods"),
]
