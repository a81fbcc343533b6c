"""Tokens with which scripts use the API as their maker."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotate.models import ApiToken
from annotate.views.desk import posted

# Days that a token may last.
LASTS = [(30, "30 days"), (90, "90 days"), (365, "a year")]
MOST = 50


class TokenForm(forms.Form):
    name = forms.CharField(max_length=100, label="What it is for", help_text="For example “nightly export”.")
    scope = forms.ChoiceField(
        choices=ApiToken.Scope.choices,
        label="May",
        help_text="In your studies, as far as your role allows.",
    )
    days = forms.TypedChoiceField(choices=LASTS, coerce=int, initial=90, label="Lasts")


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    form, secret = TokenForm(posted(request)), ""
    if request.method == "POST" and form.is_valid():
        if ApiToken.objects.filter(user=user).valid().count() < MOST:
            _, secret = ApiToken.make(user, **form.cleaned_data)
            form = TokenForm()
        else:
            form.add_error(None, f"You have {MOST} tokens: revoke one first.")
    wrong = form.is_bound and not secret
    # The secret is in this answer alone: it is stored nowhere, and reloading makes no second one by itself.
    context = {"form": form, "secret": secret, "tokens": user.api_tokens.order_by("-pk")[:MOST]}
    return render(request, "annotate/tokens.html", context, status=422 if wrong else 200)


@login_required
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=pk, user=_user(request))
    token.revoke()
    messages.success(request, f"{token.prefix}… no longer works.")
    return redirect("tokens")


def _user(request: HttpRequest) -> User:
    return User.objects.get(username=request.user.get_username())
