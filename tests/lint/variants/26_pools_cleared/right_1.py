from sqlalchemy import create_engine, text


def main():
    engine = create_engine("postgresql:///app")
    try:
        with engine.connect() as conn:
            conn.execute(text("SELECT 1"))
    finally:
        engine.dispose()


if __name__ == "__main__":
    main()
