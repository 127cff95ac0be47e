"""What is done behind the statements."""

from flatwater.live.database import Database


def test_rows_of_a_dropped_table_are_removed(db):
    """They leave the disk, those of other tables stay, and the job tells how many."""
    db.load("notes", ({"id": n} for n in range(3_000)), user="ada")
    db.sql("INSERT INTO rooms VALUES ('r', 't', 1)")
    db.sql("DROP TABLE notes")
    db._upkeep.once()
    assert db._executor.catalog.dropped() == []
    jobs = {job.name: job for job in db._upkeep.jobs()}
    assert sum(job.rows for name, job in jobs.items() if name.startswith("remove")) == 3_000
    assert len(list(db.sql("SELECT * FROM rooms"))) == 1
    assert {row["state"] for row in db.sql("SELECT state FROM system.jobs")} <= {"done", "running"}


def test_it_goes_on_after_a_restart(tmp_path):
    """What was dropped by a process that ended at once is removed by the next one."""
    with Database(tmp_path, sync="off") as db:
        db.sql("CREATE TABLE t (id INT PRIMARY KEY)")
        db.load("t", ({"id": n} for n in range(100)))
        db._upkeep.close()
        db.sql("DROP TABLE t")
        assert db._executor.catalog.dropped() != []
    with Database(tmp_path, sync="off") as db:
        db._upkeep.once()
        assert db._executor.catalog.dropped() == []
