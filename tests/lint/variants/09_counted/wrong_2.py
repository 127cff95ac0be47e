from accounts.models import User


def active_user_count():
    users = User.objects.filter(is_active=True)
    return len(users)
