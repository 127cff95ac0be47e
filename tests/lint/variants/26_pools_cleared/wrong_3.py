import pyodbc


def run_query(dsn, sql, params):
    conn = pyodbc.connect(dsn)
    rows = conn.execute(sql, params).fetchmany(100)
    conn.close()
    pyodbc.pooling = False
    return rows


class PoolKeeper:
    def __init__(self, manager):
        self.manager = manager

    def fetch(self, url):
        response = self.manager.request("GET", url)
        self.manager.clear()
        return response.status
