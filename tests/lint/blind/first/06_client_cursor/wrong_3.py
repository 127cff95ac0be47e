import hashlib
import os

import psycopg2

DSN = os.environ["PATIENT_DSN"]


def pseudonymise(salt: bytes):
    connection = psycopg2.connect(DSN)
    try:
        cur = connection.cursor()
        cur.execute("SELECT sample_id, patient_name, barcode FROM samples")
        for sample_id, patient_name, barcode in cur:
            digest = hashlib.blake2b(patient_name.encode(), key=salt).hexdigest()
            yield sample_id, digest, barcode
    finally:
        connection.close()
