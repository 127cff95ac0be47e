from aiohttp import ClientSession


class WebhookSender:
    def __init__(self, urls):
        self.urls = urls

    async def deliver(self, payload):
        for url in self.urls:
            async with ClientSession() as http:
                async with http.post(url, json=payload) as resp:
                    resp.raise_for_status()
