def feed(lines, out):
    buf = ""
    for line in lines:
        buf += line
        if len(buf) > 65536:
            out.write(buf)
            buf = ""
    out.write(buf)
