//! Mail: three protocols with the same log-ins.

use insta::assert_snapshot;

use super::{CLIENT, SERVER, stream, told};
use crate::clear::{Nature, Protocol};

#[test]
fn smtp() {
    let flow = stream(&[
        (SERVER, "220 mx.example ESMTP\r\n"),
        (CLIENT, "EHLO laptop\r\n"),
        (SERVER, "250-mx.example\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n"),
        (CLIENT, "AUTH LOGIN\r\n"),
        (SERVER, "334 VXNlcm5hbWU6\r\n"),
        (CLIENT, "YWRh\r\n"),
        (SERVER, "334 UGFzc3dvcmQ6\r\n"),
        (CLIENT, "aHVudGVyMg==\r\n"),
        (SERVER, "235 ok\r\n"),
        (CLIENT, "MAIL FROM:<ada@a.org>\r\nRCPT TO:<bob@b.org>\r\nDATA\r\n"),
        (SERVER, "250 ok\r\n250 ok\r\n354 go\r\n"),
        (CLIENT, "Subject: tea\r\n\r\nat five\r\n.\r\nQUIT\r\n"),
    ]);
    assert_snapshot!(told(&flow), @r"
    SMTP, Readable, from packet Some(6)
      banner mx.example ESMTP
      client laptop
    > User in 6: ada
    > Password in 8: hunter2
    > Address in 10: ada@a.org
    > Address in 10: bob@b.org
    > Message in 12: Subject: tea\u{a}\u{a}at five\u{a}
    ");
}

#[test]
fn smtp_challenge_and_initial_response() {
    let flow = stream(&[
        (SERVER, "220 mx\r\n"),
        (CLIENT, "EHLO x\r\n"),
        (CLIENT, "AUTH PLAIN AGFkYQBodW50ZXIy\r\n"),
        (SERVER, "535 no\r\n"),
        (CLIENT, "AUTH CRAM-MD5\r\n"),
        (SERVER, "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2U+\r\n"),
        (CLIENT, "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\r\n"),
    ]);
    assert_snapshot!(told(&flow), @r"
    SMTP, Readable, from packet Some(3)
      banner mx
      client x
    > User in 3: ada
    > Password in 3: hunter2
    > User in 7: tim
    > Proof in 7: b913a602c7eda7a495b4e6e7334d3890
    ");
}

#[test]
fn pop3() {
    let flow = stream(&[
        (SERVER, "+OK ready <1@x>\r\n"),
        (CLIENT, "USER ada\r\n"),
        (SERVER, "+OK\r\n"),
        (CLIENT, "PASS hunter 2\r\n"),
        (SERVER, "+OK\r\n"),
        (CLIENT, "RETR 1\r\n"),
        (SERVER, "+OK 9 octets\r\nSubject: x\r\n\r\nbody\r\n.\r\n"),
        (CLIENT, "APOP bob c4c9334bac560ecc979e58001b3e22fb\r\n"),
    ]);
    assert_snapshot!(told(&flow), @r"
    POP3, Readable, from packet Some(2)
    > User in 2: ada
    > Password in 4: hunter 2
    < Message in 7: Subject: x\u{a}\u{a}body\u{a}
    > User in 8: bob
    > Proof in 8: c4c9334bac560ecc979e58001b3e22fb
    ");
}

#[test]
fn imap() {
    let flow = stream(&[
        (SERVER, "* OK IMAP ready\r\n"),
        (CLIENT, "a1 LOGIN \"ada\" \"hunter 2\"\r\n"),
        (SERVER, "a1 NO\r\n"),
        (CLIENT, "a2 LOGIN ada {7}\r\n"),
        (SERVER, "+ go\r\n"),
        (CLIENT, "hunter2\r\n"),
        (CLIENT, "a3 AUTHENTICATE PLAIN\r\n"),
        (SERVER, "+ \r\n"),
        (CLIENT, "AGFkYQBodW50ZXIz\r\n"),
        (SERVER, "a3 OK\r\n* 1 FETCH (BODY[] {10}\r\nSubject: x)\r\n"),
    ]);
    assert_snapshot!(told(&flow), @r"
    IMAP, Readable, from packet Some(2)
      banner IMAP ready
    > User in 2: ada
    > Password in 2: hunter 2
    > Password in 6: hunter2
    > Password in 9: hunter3
    < Message in 10: Subject: x
    ");
}

#[test]
fn what_follows_starttls_is_sealed() {
    let hello: &[u8] = &[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0];
    let dialogues: [&[(bool, &[u8])]; 3] = [
        &[
            (SERVER, b"220 mx\r\n"),
            (CLIENT, b"EHLO x\r\n"),
            (SERVER, b"250 STARTTLS\r\n"),
            (CLIENT, b"STARTTLS\r\n"),
            (SERVER, b"220 go\r\n"),
            (CLIENT, hello),
        ],
        &[(SERVER, b"+OK\r\n"), (CLIENT, b"STLS\r\n"), (SERVER, b"+OK\r\n"), (CLIENT, hello)],
        &[(SERVER, b"* OK\r\n"), (CLIENT, b"a STARTTLS\r\n"), (SERVER, b"a OK\r\n"), (CLIENT, hello)],
    ];
    for dialogue in dialogues {
        let flow = stream(dialogue);
        assert_eq!((flow.protocol, flow.nature), (Protocol::Tls, Nature::Opaque), "{dialogue:?}");
    }
}

#[test]
fn a_password_before_starttls_stays_readable() {
    let flow = stream(&[
        (SERVER, "+OK\r\n"),
        (CLIENT, "USER ada\r\nPASS hunter2\r\nSTLS\r\n"),
        (SERVER, "-ERR\r\n+OK\r\n+OK go\r\n"),
    ]);
    assert_eq!((flow.protocol, flow.nature), (Protocol::Pop3, Nature::Readable));
}
