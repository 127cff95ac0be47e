import MySQLdb

from chat.search import MessageIndex

BATCH = 500


def reindex(index: MessageIndex):
    db = MySQLdb.connect(host="chat-db", user="indexer", passwd="indexer", db="chat")
    cursor = db.cursor()
    cursor.execute("SELECT id, room_id, body FROM messages WHERE deleted = 0")
    rows = cursor.fetchmany(BATCH)
    while rows:
        index.add_many(
            {"id": message_id, "room": room_id, "body": body}
            for message_id, room_id, body in rows
        )
        rows = cursor.fetchmany(BATCH)
    cursor.close()
    db.close()
