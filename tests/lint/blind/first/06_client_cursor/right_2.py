import pymysql
import pymysql.cursors


def latest_logins(host: str, user_id: int) -> list[str]:
    db = pymysql.connect(host=host, database="auth", cursorclass=pymysql.cursors.DictCursor)
    seen = []
    with db.cursor() as cursor:
        cursor.execute(
            "SELECT ip, at FROM logins WHERE user_id = %s ORDER BY at DESC LIMIT 10",
            (user_id,),
        )
        for login in cursor:
            seen.append(f"{login['at']:%Y-%m-%d} {login['ip']}")
    db.close()
    return seen
