class Warehouse:
    def __init__(self, api):
        self.api = api

    async def _pages(self, resource):
        token = None
        while True:
            page = await self.api.get(resource, page_token=token)
            yield page["data"]
            token = page.get("next_page_token")
            if token is None:
                return

    async def everything(self, resource):
        return [item async for page in self._pages(resource) for item in page]
