from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from annotate.views import desk, journey, task

urlpatterns = [
    path("", desk.home, name="home"),
    path("login/", LoginView.as_view(template_name="annotate/login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("join/<str:token>/", journey.join, name="join"),
    path("rate/<slug:slug>/", task.task, name="task"),
    path("rate/<slug:slug>/leave/", journey.leave, name="leave"),
    path("studies/", desk.studies, name="studies"),
    path("studies/<slug:slug>/", desk.study, name="study"),
    path("", include("judging.urls")),
]
