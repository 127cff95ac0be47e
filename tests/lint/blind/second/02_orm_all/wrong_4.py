from peewee import CharField, DateTimeField, FloatField, Model, PostgresqlDatabase

db = PostgresqlDatabase("genomes", host="db", user="lab")


class Variant(Model):
    chromosome = CharField()
    position = FloatField()
    allele = CharField()
    called_at = DateTimeField()

    class Meta:
        database = db


def write_vcf(path, header):
    variants = list(Variant.select().order_by(Variant.chromosome, Variant.position))
    with open(path, "w") as vcf:
        vcf.write(header)
        for v in variants:
            vcf.write(f"{v.chromosome}\t{int(v.position)}\t.\t{v.allele}\n")
