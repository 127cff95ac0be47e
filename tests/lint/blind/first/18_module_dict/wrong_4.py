from collections import defaultdict
from time import time

from django.http import HttpResponse, JsonResponse

ATTEMPTS = defaultdict(list)


def throttle(view):
    def wrapper(request, *args, **kwargs):
        address = request.META["REMOTE_ADDR"]
        ATTEMPTS[address].append(time())
        recent = [t for t in ATTEMPTS[address] if t > time() - 60]
        if len(recent) > 30:
            return HttpResponse(status=429)
        return view(request, *args, **kwargs)

    return wrapper


@throttle
def login(request):
    return JsonResponse({"ok": True})
