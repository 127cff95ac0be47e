import pyarrow.parquet as pq


def copy_into_kafka(path, producer, topic):
    table = pq.read_table(path)
    for row in table.to_pylist():
        producer.produce(topic, str(row).encode())
    producer.flush()
