from accounts.models import User


def active_user_count():
    return User.objects.filter(is_active=True).count()


def first_page_size():
    users = list(User.objects.order_by("id")[:20])
    return len(users)
