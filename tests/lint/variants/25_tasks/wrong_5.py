import atexit
import tempfile
import shutil


def handle_request(request):
    workdir = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, workdir, ignore_errors=True)
    with open(f"{workdir}/in.bin", "wb") as fh:
        fh.write(request.body)
    return convert(workdir)


def convert(workdir):
    return workdir + "/out.pdf"
