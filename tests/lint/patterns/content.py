import aiohttp
import httpx
import requests


def one(url, target):
    answer = requests.get(url, stream=True)
    with open(target, "wb") as file:
        file.write(answer.content)  # FW102


def two(url):
    answer = requests.get(url)
    for line in answer.text.splitlines():  # FW102
        print(line)


def three(url, target):
    with httpx.stream("GET", url) as answer, open(target, "wb") as file:
        file.write(answer.read())  # FW102


async def four(url, target):
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        with open(target, "wb") as file:
            file.write(await answer.read())  # FW102


class Downloader:
    def __init__(self):
        self.session = requests.Session()

    def five(self, url, target):
        answer = self.session.get(url)
        with open(target, "wb") as file:
            file.write(answer.content)  # FW102
