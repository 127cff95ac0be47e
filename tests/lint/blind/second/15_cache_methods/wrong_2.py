import functools

import requests


class GitlabProject:
    def __init__(self, base_url, project_id, token):
        self.base_url = base_url
        self.project_id = project_id
        self.session = requests.Session()
        self.session.headers["PRIVATE-TOKEN"] = token

    @functools.cache
    def commit(self, sha):
        url = f"{self.base_url}/projects/{self.project_id}/repository/commits/{sha}"
        reply = self.session.get(url, timeout=10)
        reply.raise_for_status()
        return reply.json()
