from pymongo import MongoClient

client = MongoClient("mongodb://mongo")
visits = client.analytics.visits


def bounce_rate(site: str) -> float:
    bounced = [v for v in visits.find({"site": site, "pages": 1})]
    everything = list(visits.find({"site": site}))
    if not everything:
        return 0.0
    return len(bounced) / len(everything)
