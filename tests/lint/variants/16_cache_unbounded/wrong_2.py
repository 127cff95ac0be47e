import functools


@functools.lru_cache(maxsize=None)
def render_avatar(username, size):
    svg = f"<svg width='{size}'><text>{username[:2]}</text></svg>"
    return svg.encode()


def avatar_view(request, username):
    return render_avatar(username, int(request.GET.get("size", 64)))
