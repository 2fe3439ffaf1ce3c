from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from readerstudy.audit.errors import Refused

from . import actions, queries
from .forms import AccountForm, ProfileForm, ReasonForm
from .models import User
from .permissions import check_administers, check_makes_accounts
from .queries import person


@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    user = person(request)
    form = ProfileForm(request.POST or None, instance=queries.profile_of(user))
    if request.method == "POST" and form.is_valid():
        actions.set_profile(user=user, by=user, **form.cleaned_data)
        messages.success(request, "Your profile is saved.")
        return redirect("accounts:profile")
    return render(request, "accounts/profile.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    by = person(request)
    check_makes_accounts(by)
    form = AccountForm(request.POST or None, may_give_roles=by.site_role == User.Site.ADMINISTRATOR)
    made = None
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.create_person(by=by, **form.cleaned_data)
            form = AccountForm(may_give_roles=by.site_role == User.Site.ADMINISTRATOR)
        except Refused as refused:
            form.add_error(None, str(refused))
    context = {"form": form, "people": queries.people(), "made": made}
    return render(request, "accounts/people.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def account(request: HttpRequest, user: str) -> HttpResponse:
    """Somebody's profile, entered for them."""
    by = person(request)
    check_makes_accounts(by)
    shown = get_object_or_404(User, token=user)
    form = ProfileForm(request.POST or None, instance=queries.profile_of(shown))
    if request.method == "POST" and form.is_valid():
        actions.set_profile(user=shown, by=by, **form.cleaned_data)
        messages.success(request, f"The profile of {shown} is saved.")
        return redirect("accounts:people")
    context = {"form": form, "shown": shown}
    return render(request, "accounts/account.html", context, status=400 if form.errors else 200)


@never_cache
@require_POST
def password(request: HttpRequest, user: str) -> HttpResponse:
    by = person(request)
    check_administers(by)
    shown = get_object_or_404(User, token=user)
    made = actions.NewAccount(shown, actions.reset_password(user=shown, by=by))
    context = {"made": made, "shown": shown, "form": ProfileForm(instance=queries.profile_of(shown))}
    return render(request, "accounts/account.html", context)


@require_POST
def active(request: HttpRequest, user: str) -> HttpResponse:
    by = person(request)
    check_administers(by)
    shown = get_object_or_404(User, token=user)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    actions.set_active(user=shown, active=not shown.is_active, reason=reason, by=by)
    messages.success(request, f"The account of {shown} is {'open' if shown.is_active else 'closed'}.")
    return redirect("accounts:people")
