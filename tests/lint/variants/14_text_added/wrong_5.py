import subprocess


def capture(cmd):
    proc = subprocess.Popen(cmd, stdout=subprocess.PIPE, text=True)
    log = ""
    for line in proc.stdout:
        log = log + line
    proc.wait()
    return log
