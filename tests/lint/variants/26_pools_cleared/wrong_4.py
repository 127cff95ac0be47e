from sqlalchemy import create_engine, text

engine = create_engine("postgresql:///app")


def save_point(x, y):
    with engine.begin() as conn:
        conn.execute(text("INSERT INTO points VALUES (:x, :y)"), {"x": x, "y": y})
    engine.dispose()
