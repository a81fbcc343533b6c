"""The pages of all results."""

from django.urls import path

from annotate.views.later import later
from judging.results import COMPUTED
from judging.results.views import methods, methods_topic, page

urlpatterns = [
    *(path(f"studies/<slug:slug>/{name}/", page(name), name=name) for name in COMPUTED),
    path("studies/<slug:slug>/glance/", later("judging.results.glance.glance"), name="glance"),
    path("methods/", methods, name="methods"),
    path("methods/<slug:topic>/", methods_topic, name="methods-topic"),
]
