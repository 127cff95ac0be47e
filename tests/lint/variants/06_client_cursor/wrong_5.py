import MySQLdb
import csv


def dump_visits(cfg, path):
    db = MySQLdb.connect(host=cfg.host, user=cfg.user, passwd=cfg.password, db="stats")
    cur = db.cursor()
    query = "SELECT visitor_id, page, seen_at FROM visits WHERE seen_at > %s"
    cur.execute(query, (cfg.since,))
    with open(path, "w") as fh:
        w = csv.writer(fh)
        row = cur.fetchone()
        while row is not None:
            w.writerow(row)
            row = cur.fetchone()
