import argparse

import requests


def download_dump(url, dest):
    resp = requests.get(url, timeout=300)
    resp.raise_for_status()
    with open(dest, "wb") as f:
        f.write(resp.content)
    print(f"saved {dest}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("dest")
    args = parser.parse_args()
    download_dump(args.url, args.dest)


if __name__ == "__main__":
    main()
