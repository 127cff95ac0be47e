"""Health and metrics of a server."""

from flatwater.live.serving import telling


def test_health(server, live, on_loop):
    """Figures follow what is open; names of users are nowhere in it."""
    ada = live("somebody")
    ada.follow("SELECT * FROM notes")
    found = on_loop(telling.health, server.service)
    assert (found["connections"], found["subscriptions"]) == (1, 1)
    assert found["status"] == "ok"
    assert found["rss"] >= found["anon"] > 0
    assert found["pools"]["connections"]["seen"] > 0
    assert "somebody" not in str(found)


def test_status(server, on_loop):
    """The watcher's level is the status."""

    class Critical:
        level = "critical"

        def stop(self):
            """Of a real one."""

    real, server.service.watcher = server.service.watcher, Critical()
    try:
        assert on_loop(telling.health, server.service)["status"] == "critical"
    finally:
        server.service.watcher = real


def test_metrics(server, live, on_loop):
    """Every figure has its help and type, as Prometheus reads it."""
    from prometheus_client.parser import text_string_to_metric_families

    live().follow("SELECT * FROM notes")
    text, kind = on_loop(telling.metrics, server.service)
    families = {family.name: family for family in text_string_to_metric_families(text.decode())}
    assert kind.startswith("text/plain")
    assert families["flatwater_subscriptions"].samples[0].value == 1
    assert families["flatwater_deliveries"].type == "counter"
    assert {sample.labels["pool"] for sample in families["flatwater_pool_promised_bytes"].samples} >= {
        "store",
        "connections",
    }
    assert all(family.documentation for family in families.values())
