import psycopg

from grid.forecast import Forecaster

QUERY = """
    SELECT substation, measured_at, load_mw
      FROM substation_load
     ORDER BY measured_at
"""


def train_online(conninfo: str, forecaster: Forecaster) -> None:
    with psycopg.connect(conninfo) as conn:
        for substation, measured_at, load in conn.execute(QUERY):
            forecaster.update(substation, measured_at, float(load))
    forecaster.save()
