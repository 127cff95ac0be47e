import subprocess


def run_build(command: list[str], log_path: str) -> int:
    output = ""
    proc = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in proc.stdout:
        print(line, end="")
        output += line
    code = proc.wait()
    with open(log_path, "w") as log:
        log.write(output)
    return code


if __name__ == "__main__":
    raise SystemExit(run_build(["make", "-j8", "all"], "build.log"))
