import requests


def collect_build_log(api: str, build_id: int, token: str) -> str:
    log = ""
    with requests.get(
        f"{api}/builds/{build_id}/log",
        headers={"Authorization": f"token {token}"},
        stream=True,
        timeout=30,
    ) as response:
        for line in response.iter_lines(decode_unicode=True):
            if line:
                log += line + "\n"
    return log


def failed_steps(api: str, build_id: int, token: str) -> list[str]:
    log = collect_build_log(api, build_id, token)
    return [line for line in log.splitlines() if line.startswith("FAILED")]
