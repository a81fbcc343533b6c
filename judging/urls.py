from django.urls import path

from judging import views

urlpatterns = [
    path("studies/<slug:slug>/agreement/", views.agreement, name="agreement"),
    path("studies/<slug:slug>/audit/", views.audit, name="audit"),
    path("methods/", views.methods, name="methods"),
]
