from operator import attrgetter

from blog.models import Post


def trending(k):
    posts = sorted(Post.objects.all(), key=attrgetter("score"), reverse=True)
    top = posts[0:k]
    return [p.title for p in top]
