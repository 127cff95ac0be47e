import concurrent.futures


class Thumbnailer:
    def __init__(self, storage):
        self.storage = storage
        self.pool = concurrent.futures.ThreadPoolExecutor(max_workers=4)

    def run(self, queryset):
        futs = {}
        for image in queryset.iterator():
            futs[self.pool.submit(self.make, image)] = image.pk
        for fut in concurrent.futures.as_completed(futs):
            self.storage.save(futs[fut], fut.result())

    def make(self, image):
        return image.resize((128, 128))
