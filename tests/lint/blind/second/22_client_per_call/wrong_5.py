import json

import redis
from django.http import JsonResponse
from django.views.decorators.http import require_GET
from kafka import KafkaProducer


@require_GET
def track_click(request, banner_id):
    cache = redis.Redis(connection_pool=redis.ConnectionPool(host="redis", port=6379))
    clicks = cache.incr(f"banner:{banner_id}:clicks")
    producer = KafkaProducer(
        bootstrap_servers="kafka:9092", value_serializer=lambda v: json.dumps(v).encode()
    )
    producer.send("clicks", {"banner": banner_id, "n": clicks})
    return JsonResponse({"clicks": clicks})
