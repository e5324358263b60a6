"""Does one thing with a mailbox on this host, as its argument says."""
import imaplib
import poplib
import ssl
import sys
import zlib

MAIL = open("zip.eml", "rb").read()
UNCHECKED = ssl._create_unverified_context()


def imap(select=True, tls=False):
    c = imaplib.IMAP4("127.0.0.1")
    if tls:
        c.starttls(UNCHECKED)
    c.login("u", "p")
    if select:
        c.select("INBOX", readonly=True)
    return c


def pop(tls=False):
    c = poplib.POP3("127.0.0.1")
    if tls:
        c.stls(UNCHECKED)
    c.user("u")
    c.pass_("p")
    return c


def say(c, line, until):
    c.send(line)
    while until not in c.readline():
        pass


def in_parts(fetch, section, step=100):
    for at in range(0, len(MAIL), step):
        fetch("%s<%d.%d>" % (section, at, step))


def parts():
    c = imap()
    in_parts(lambda what: c.fetch("1", what), "BODY.PEEK[]")
    c.logout()


def parts_of_two():
    c = imap(select=False)
    for box in "Other", "INBOX":
        c.select(box, readonly=True)
        in_parts(lambda what: c.uid("FETCH", "1:*", what), "BODY.PEEK[]")
    c.logout()


def attachment():
    c = imap()
    c.fetch("1", "(UID BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)])")
    c.uid("FETCH", "1:*", "BODY.PEEK[2.MIME]")
    in_parts(lambda what: c.uid("FETCH", "1:*", what), "BODY.PEEK[2]")
    c.logout()


def header_and_text():
    c = imap()
    c.fetch("1", "(BODY.PEEK[HEADER] BODY.PEEK[TEXT])")
    c.logout()


def compressed():
    c = imap()
    say(c, b"z1 COMPRESS DEFLATE\r\n", b"z1 OK")
    pack, unpack, said = zlib.compressobj(6, zlib.DEFLATED, -15), zlib.decompressobj(-15), b""
    for tag, command in (b"z2", b"FETCH 1 (FLAGS)"), (b"z3", b"FETCH 1 (BODY.PEEK[])"), (b"z4", b"LOGOUT"):
        c.sock.sendall(pack.compress(tag + b" " + command + b"\r\n") + pack.flush(zlib.Z_SYNC_FLUSH))
        while tag + b" OK" not in said:
            said += unpack.decompress(c.sock.recv(65536))
    c.shutdown()


def append():
    c = imap()
    c.append("Nowhere", None, None, MAIL)  # refused before it is sent
    c.append("Sent", r"\Seen", None, MAIL)
    c.logout()


def append_at_once():
    c = imap()
    say(c, b"l1 APPEND {4+}\r\nSent (\\Seen) {%d+}\r\n%s\r\n" % (len(MAIL), MAIL), b"l1 OK")
    c.logout()


def idle():
    c = imap()
    say(c, b"i1 IDLE\r\n", b"+")
    other = imap()
    other.append("INBOX", None, None, MAIL)
    other.logout()
    while b" EXISTS" not in c.readline():
        pass
    say(c, b"DONE\r\n", b"i1 OK")
    c.fetch("*", "(RFC822)")
    c.logout()


def starttls():
    c = imap(tls=True)
    c.fetch("1", "(RFC822)")
    c.logout()
    parts()


def retrieve():
    c = pop()
    c.capa()
    c.list()
    c.top(1, 5)
    c.retr(1)
    c.quit()


def stls():
    c = pop(tls=True)
    c.retr(1)
    c.quit()
    retrieve()


globals()[sys.argv[1]]()
