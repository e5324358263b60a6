"""Hands several messages to a mail server in one connection, and prints a line
with the answer to each."""
import smtplib
import sys

ZIP = open("zip.eml", "rb").read()
CLEAN = b"From: a@sender.example\r\nSubject: clean\r\n\r\n"

s = smtplib.SMTP("127.0.0.1", local_hostname="client.example")
s.ehlo()


def envelope(sender, options=""):
    s.docmd("MAIL", "FROM:<%s>%s" % (sender, options))
    return s.docmd("RCPT", "TO:<all@d.example>")


def tell(what, answer):
    print(what, answer[0], answer[1].decode())


def data(what, message, sender="a@sender.example"):
    envelope(sender)
    tell(what, s.data(message))


def bdat(what, message, step):
    envelope("a@sender.example", " BODY=8BITMIME")
    for at in range(0, len(message), step):
        part = message[at : at + step]
        s.send(b"BDAT %d%s\r\n" % (len(part), b" LAST" if at + step >= len(message) else b"") + part)
        answer = s.getreply()
    tell(what, answer)


def pipelined(what, message):
    s.send("MAIL FROM:<a@sender.example>\r\nRCPT TO:<all@d.example>\r\nDATA\r\n")
    for _ in range(3):
        s.getreply()
    s.send(message + b"\r\n.\r\nMAIL FROM:<b@sender.example>\r\nRSET\r\n")
    tell(what, s.getreply())
    for _ in range(2):
        s.getreply()


data("clean", CLEAN + b"hello\r\n")
envelope("gone@sender.example")
s.rset()
data("zip", ZIP)
data("zip of a friend", ZIP, "golden@d.example")
data("hold", CLEAN + b"PEER-HOLD\r\n")
data("log", CLEAN + b"PEER-LOG\r\n")
bdat("zip in chunks", ZIP, 100)
bdat("clean in chunks", CLEAN + "grüße\r\n".encode(), 5)
pipelined("zip in one piece", ZIP)
if "large" in sys.argv:
    data("large", CLEAN + b"nothing in it\r\n" * 200000)
s.quit()
