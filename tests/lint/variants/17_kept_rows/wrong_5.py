import psycopg

conn = psycopg.connect("dbname=crm")
CONTACTS = {row[0]: row for row in conn.execute("SELECT id, name, email, phone FROM contacts")}


def contact(cid):
    return CONTACTS.get(cid)
