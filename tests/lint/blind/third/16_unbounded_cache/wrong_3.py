import pickle

from cachetools import Cache, cached
from django.http import JsonResponse

from search.engine import Engine

engine = Engine("/var/lib/search")
results_cache = Cache(maxsize=float("inf"))


@cached(results_cache, key=lambda query, page: (query.lower(), page))
def run_query(query: str, page: int) -> list[dict]:
    hits = engine.search(query, start=page * 20, rows=20)
    return [pickle.loads(h.stored) for h in hits]


def search_view(request):
    query = request.GET.get("q", "")
    page = int(request.GET.get("page", 0))
    return JsonResponse({"hits": run_query(query, page)})
