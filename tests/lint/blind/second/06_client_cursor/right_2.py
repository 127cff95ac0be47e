import pymysql
import pymysql.cursors


def export_scores(path):
    connection = pymysql.connect(
        host="db",
        user="game",
        password="game",
        database="game",
        cursorclass=pymysql.cursors.SSCursor,
    )
    with connection:
        with connection.cursor() as cursor, open(path, "w") as out:
            cursor.execute("SELECT player, score FROM scores")
            for player, score in cursor:
                out.write(f"{player}\t{score}\n")
