from functools import lru_cache

from django.contrib.auth import get_user_model


@lru_cache(None)
def user_by_token(token):
    return get_user_model().objects.filter(api_token=token).first()


class TokenMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.user = user_by_token(request.headers.get("X-Token"))
        return self.get_response(request)
