import asyncio

from app.models import User


class Notifier:
    def __init__(self, mailer):
        self.mailer = mailer

    async def notify_everyone(self):
        coros = [self.mailer.send(user.email) async for user in User.objects.filter(is_active=True)]
        await asyncio.gather(*coros, return_exceptions=True)
