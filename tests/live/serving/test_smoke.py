"""The smoke test finds nothing where everything works, and says what it found where something does not."""

from flatwater.live.serving.smoke import smoke


def test_everything_works(tmp_path):
    """All checks pass on a new database."""
    found = list(smoke(str(tmp_path)))
    assert [check for check in found if not check.works] == []
    assert len(found) == len({check.name for check in found}) == 10


def test_what_does_not_work_is_found(tmp_path, monkeypatch):
    """A server that keeps its live queries' changes back, and one without metrics, do not pass."""
    from flatwater.live.serving import fanout, telling

    def broken(_service):
        raise KeyError("figures")

    monkeypatch.setattr(telling, "metrics", broken)
    monkeypatch.setattr(fanout, "_frames", lambda channel, changes: channel.ready(changes[0][1].sequence))
    found = {check.name: check for check in smoke(str(tmp_path))}
    assert not found["health and metrics"].works
    assert not found["a live query: snapshot, insert, update, delete"].works
    assert found["users are apart"].works
