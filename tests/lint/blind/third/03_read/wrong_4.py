import json
import zipfile

import click


@click.command()
@click.argument("archive", type=click.Path(exists=True))
@click.option("--kind", default="node")
def extract(archive: str, kind: str) -> None:
    """Print the ids of all map features of one kind."""
    with zipfile.ZipFile(archive) as bundle:
        for name in bundle.namelist():
            if not name.endswith(".ndjson"):
                continue
            raw = bundle.read(name).decode("utf-8")
            for line in raw.split("\n"):
                if not line:
                    continue
                feature = json.loads(line)
                if feature["kind"] == kind:
                    click.echo(feature["id"])


if __name__ == "__main__":
    extract()
