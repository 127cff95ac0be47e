from blog.models import Post


def trending(k):
    recent = Post.objects.order_by("-created")[:50]
    return sorted(recent, key=lambda p: p.score, reverse=True)[:10]
