import pymysql


class OrderMigrator:
    def __init__(self, source_cfg, target):
        self.src = pymysql.connect(**source_cfg)
        self.target = target

    def migrate(self):
        with self.src.cursor() as cursor:
            cursor.execute("SELECT id, customer, total FROM orders")
            for row in cursor:
                self.target.insert("orders", row)
