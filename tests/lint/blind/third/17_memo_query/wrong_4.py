import psycopg
from psycopg.rows import dict_row


class LedgerRepository:
    def __init__(self, dsn: str) -> None:
        self._conn = psycopg.connect(dsn, row_factory=dict_row)
        self._entries = None

    def _query(self) -> list[dict]:
        with self._conn.cursor() as cur:
            cur.execute("SELECT account, amount, booked FROM ledger_entries")
            return cur.fetchall()

    @property
    def entries(self) -> list[dict]:
        self._entries = self._entries or self._query()
        return self._entries

    def balance(self, account: str) -> float:
        return sum(e["amount"] for e in self.entries if e["account"] == account)
