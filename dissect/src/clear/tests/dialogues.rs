//! One small dialogue for each protocol of lines and frames.

use insta::assert_snapshot;

use super::{CLIENT, SERVER, datagrams, hex, stream, told};
use crate::clear::{Nature, Protocol};

#[test]
fn irc() {
    let flow = stream(&[
        (CLIENT, "PASS s3rver\r\nNICK ada\r\nUSER ada 0 * :Ada L\r\n"),
        (SERVER, ":irc.example 001 ada :Welcome\r\n"),
        (CLIENT, "AUTHENTICATE PLAIN\r\n"),
        (SERVER, "AUTHENTICATE +\r\n"),
        (CLIENT, "AUTHENTICATE AGFkYQBodW50ZXIy\r\nJOIN #tea key1\r\nPRIVMSG #tea :hello all\r\n"),
        (SERVER, "@time=1 :bob!b@h PRIVMSG #tea :hi ada\r\n"),
        (CLIENT, "PRIVMSG NickServ :IDENTIFY opensesame\r\n"),
    ]);
    assert_snapshot!(told(&flow), @r"
    IRC, Readable, from packet Some(1)
    > Password in 1: s3rver
    > User in 1: ada
    > Name in 1: Ada L
    > Password in 5: hunter2
    > Name in 5: #tea
    > Password in 5: key1
    > Message in 5: hello all
    < Message in 6: hi ada
    > Name in 7: NickServ
    > Password in 7: opensesame
    ");
}

#[test]
fn xmpp_until_starttls() {
    let flow = stream(&[
        (CLIENT, "<?xml version='1.0'?><stream:stream to='example.org' xmlns='jabber:client'>"),
        (CLIENT, "<auth mechanism='PLAIN'>AGFkYQBodW50ZXIy</auth>"),
        (CLIENT, "<message to='bob@example.org'><body>meet at noon</body></message>"),
    ]);
    assert_snapshot!(told(&flow), @r"
    XMPP, Readable, from packet Some(2)
      domain example.org
    > User in 2: ada
    > Password in 2: hunter2
    > Address in 3: bob@example.org
    > Message in 3: meet at noon
    ");

    let sealed = stream(&[
        (CLIENT, "<?xml version='1.0'?><stream:stream to='example.org'><starttls xmlns='tls'/>".as_bytes()),
        (SERVER, b"<stream:stream from='example.org'><proceed xmlns='tls'/>"),
        (CLIENT, &[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]),
    ]);
    assert_eq!((sealed.protocol, sealed.nature), (Protocol::Tls, Nature::Opaque));
}

#[test]
fn http() {
    let flow = stream(&[
        (
            CLIENT,
            "GET /a?user=x&token=abc HTTP/1.1\r\nHost: example.org\r\nAuthorization: Basic dGVzdDoxOjM0\r\n\
             Cookie: sid=1; theme=dark\r\n\r\n",
        ),
        (SERVER, "HTTP/1.1 200 OK\r\nSet-Cookie: id=7; Path=/\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (SERVER, "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"),
        (
            CLIENT,
            "POST /in HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 25\r\n\r\n\
             name=ada&password=a%20b+c",
        ),
        (SERVER, "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"),
        (
            CLIENT,
            "GET / HTTP/1.1\r\nAuthorization: Bearer t0k3n\r\nProxy-Authorization: Digest username=\"bob\", \
             realm=\"r\", response=\"6629\"\r\n\r\n",
        ),
    ]);
    assert_snapshot!(told(&flow), @r"
    HTTP, Readable, from packet Some(1)
      host example.org
    > Url in 1: /a?user=x&token=abc
    > User in 1: x
    > Token in 1: abc
    > User in 1: test
    > Password in 1: 1:34
    > Cookie in 1: sid=1
    > Cookie in 1: theme=dark
    < Cookie in 2: id=7
    < Message in 3: hello world
    > Url in 4: /in
    > Message in 4: ada
    > Password in 4: a b c
    > Url in 6: /
    > Token in 6: t0k3n
    > User in 6: bob
    > Proof in 6: 6629
    ");
}

#[test]
fn masked_websocket_behind_http() {
    let flow = stream(&[
        (CLIENT, b"GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n".to_vec()),
        (SERVER, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi".to_vec()),
        // RFC 6455 section 5.7: "Hello" masked, then in two fragments with a ping between.
        (CLIENT, hex("81 85 37 fa 21 3d 7f 9f 4d 51 58")),
        (SERVER, b"\x01\x03Hel\x89\x01!\x80\x02lo".to_vec()),
    ]);
    assert_snapshot!(told(&flow), @r"
    HTTP, Readable, from packet Some(1)
    > Url in 1: /chat
    < Message in 2: hi
    > Message in 3: Hello
    ");
}

#[test]
fn compressed_websocket() {
    // RFC 7692 section 7.2.3.2: "Hello" twice, the second time by reference to the first.
    let flow = stream(&[
        (CLIENT, b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        (
            SERVER,
            b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
                .to_vec(),
        ),
        (SERVER, hex("c1 07 f2 48 cd c9 c9 07 00")),
        (SERVER, hex("c1 05 f2 00 11 00 00")),
    ]);
    let texts: Vec<String> = flow.secrets.iter().skip(1).map(super::super::Secret::reveal).collect();
    assert_eq!(texts, ["Hello"]);
    assert_eq!(flow.secret_counts[&crate::clear::SecretKind::Message], 2);
}

#[test]
fn http_tunnel() {
    let flow = stream(&[
        (CLIENT, b"CONNECT example.org:22 HTTP/1.1\r\n\r\n".to_vec()),
        (SERVER, b"HTTP/1.1 200 OK\r\n\r\nSSH-2.0-x\r\n".to_vec()),
        (CLIENT, b"SSH-2.0-y\r\n".to_vec()),
    ]);
    assert_snapshot!(told(&flow), @r"
    HTTP, Readable, from packet Some(1)
      server SSH-2.0-x
      client SSH-2.0-y
    > Url in 1: example.org:22
    ");
}

#[test]
fn telnet_a_character_a_packet() {
    let mut parts: Vec<(bool, Vec<u8>)> = vec![
        (SERVER, hex("ff fd 18 ff fb 01")),
        (CLIENT, hex("ff fb 18 ff fa 18 00 76 74 31 30 30 ff f0")),
        (SERVER, b"Welcome\r\nlogin: ".to_vec()),
    ];
    for byte in *b"adx\x7fa\r\0" {
        parts.push((CLIENT, vec![byte]));
    }
    parts.push((SERVER, b"ada\r\nPassword: ".to_vec()));
    for byte in *b"hunter2\r\0" {
        parts.push((CLIENT, vec![byte]));
    }
    parts.push((SERVER, b"\r\n$ ".to_vec()));
    parts.push((CLIENT, b"ls\r\n".to_vec()));
    assert_snapshot!(told(&stream(&parts)), @r"
    Telnet, Readable, from packet Some(3)
      terminal vt100
    < Message in 3: Welcome
    > User in 4: ada
    < Message in 3: login: ada
    > Password in 12: hunter2
    < Message in 11: Password:
    > Command in 22: ls
    > Message in 21: $
    ");
}

#[test]
fn ftp_and_its_starttls() {
    let flow = stream(&[
        (SERVER, "220 files FTP\r\n"),
        (CLIENT, "USER ada\r\n"),
        (SERVER, "331 ?\r\n"),
        (CLIENT, "PASS hunter2\r\n"),
        (SERVER, "230 ok\r\n"),
        (CLIENT, "RETR plan.txt\r\n"),
    ]);
    assert_snapshot!(told(&flow), @r"
    FTP, Readable, from packet Some(2)
      banner files FTP
    > User in 2: ada
    > Password in 4: hunter2
    > Name in 6: plan.txt
    ");

    let sealed = stream(&[
        (SERVER, b"220 files\r\n".to_vec()),
        (CLIENT, b"AUTH TLS\r\n".to_vec()),
        (SERVER, b"234 go\r\n".to_vec()),
        (CLIENT, vec![0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]),
    ]);
    assert_eq!((sealed.protocol, sealed.nature), (Protocol::Tls, Nature::Opaque));
}

#[test]
fn sip() {
    let invite = "INVITE sip:bob@b.org SIP/2.0\r\nFrom: \"A\" <sip:ada@a.org>;tag=1\r\nTo: <sip:bob@b.org>\r\n\
                  Authorization: Digest username=\"ada\", realm=\"a\", response=\"dead\"\r\n\r\n\
                  v=0\r\nm=audio 4000 RTP/AVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\n";
    let invite = invite.replace("\r\n\r\n", "\r\nContent-Length: 87\r\n\r\n");
    let flow =
        datagrams(&[(CLIENT, invite.as_str()), (SERVER, "SIP/2.0 200 OK\r\nFrom: <sip:ada@a.org>\r\n\r\n")]);
    assert_snapshot!(told(&flow), @r"
    SIP, Readable, from packet Some(1)
      media audio 4000 RTP/AVP 0
    > Address in 1: sip:bob@b.org
    > Address in 1: sip:ada@a.org
    > User in 1: ada
    > Proof in 1: dead
    > Token in 1: c2VjcmV0
    ");
    assert_eq!(stream(&[(CLIENT, invite)]).protocol, Protocol::Sip);
}

#[test]
fn mqtt() {
    let mut connect = hex("10 1a 00 04 4d 51 54 54 04 c2 00 3c");
    connect.extend(b"\x00\x02c1\x00\x03ada\x00\x03pw!");
    connect[1] = u8::try_from(connect.len() - 2).unwrap();
    let flow = stream(&[
        (CLIENT, connect),
        (SERVER, hex("20 02 00 00")),
        (CLIENT, b"\x30\x0f\x00\x04room{\"t\": 21}".to_vec()),
    ]);
    assert_snapshot!(told(&flow), @r#"
    MQTT, Readable, from packet Some(1)
      version 4
    > Name in 1: c1
    > User in 1: ada
    > Password in 1: pw!
    > Name in 3: room
    > Message in 3: {"t": 21}
    "#);
}

#[test]
fn dns_over_both() {
    let query = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03net\0\0\x01\0\x01";
    let mut answer = query.to_vec();
    answer[2] = 0x81;
    answer[7] = 1;
    answer.extend(b"\xc0\x0c\0\x05\0\x01\0\0\0\x09\0\x06\x03cdn\xc0\x10");
    let mut framed = vec![0, u8::try_from(query.len()).unwrap()];
    framed.extend(query);
    let flow = datagrams(&[(CLIENT, query.to_vec()), (SERVER, answer)]);
    assert_snapshot!(told(&flow), @r"
    DNS, Readable, from packet Some(1)
    > Name in 1: www.example.net
    < Name in 2: cdn.example.net
    ");
    let flow = stream(&[(CLIENT, framed)]);
    assert_snapshot!(told(&flow), @r"
    DNS, Readable, from packet Some(1)
    > Name in 1: www.example.net
    ");
}

#[test]
fn names_and_communities() {
    let netbios = [
        b"\0\x01\x01\x10\0\x01\0\0\0\0\0\0\x20".as_slice(),
        b"FHEPFCELEHFCEPFFFACACACACACACABL",
        b"\0\0\x20\0\x01",
    ]
    .concat();
    let mut dhcp = vec![0; 236];
    dhcp[0] = 1;
    dhcp.extend(b"\x63\x82\x53\x63\x35\x01\x01\x0c\x06laptop\xff");
    let snmp = hex("30 19 02 01 01 04 06 70 75 62 6c 69 63 a0 0c 02 01 01 02 01 00 02 01 00 30 01 00");
    let stun = b"\0\x01\0\x08\x21\x12\xa4\x42aaaaaaaaaaaa\0\x06\0\x04ab:c".to_vec();
    let syslog = b"<34>Oct 11 22:14:15 host su: failed for ada".to_vec();
    let told: Vec<String> = [netbios, dhcp, snmp, stun, syslog]
        .into_iter()
        .map(|datagram| told(&datagrams(&[(CLIENT, datagram)])))
        .collect();
    assert_snapshot!(told.concat(), @r"
    NetBIOS name service, Readable, from packet Some(1)
    > Name in 1: WORKGROUP
    DHCP, Readable, from packet Some(1)
    > Name in 1: laptop
    SNMP, Readable, from packet Some(1)
    > Community in 1: public
    STUN, Readable, from packet Some(1)
    > User in 1: ab:c
    syslog, Readable, from packet Some(1)
    > Message in 1: Oct 11 22:14:15 host su: failed for ada
    ");
}

#[test]
fn directories_and_databases() {
    let ldap = hex("30 16 02 01 01 60 11 02 01 03 04 06 63 6e 3d 61 64 61 80 04 70 77 21 21");
    let flow = stream(&[(CLIENT, ldap)]);
    assert_snapshot!(told(&flow), @r"
    LDAP, Readable, from packet Some(1)
    > User in 1: cn=ada
    > Password in 1: pw!!
    ");

    let flow = stream(&[
        (CLIENT, b"\0\0\0\x12\0\x03\0\0user\0ada\0\0".to_vec()),
        (SERVER, b"R\0\0\0\x08\0\0\0\x03".to_vec()),
        (CLIENT, b"p\0\0\0\x0cpa55w0r\0Q\0\0\0\x0dSELECT 1\0".to_vec()),
    ]);
    assert_snapshot!(told(&flow), @r"
    PostgreSQL, Readable, from packet Some(1)
    > User in 1: ada
    > Password in 3: pa55w0r
    > Command in 3: SELECT 1
    ");

    let greeting =
        b"\x4a\0\0\0\x0a8.0.1\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_vec();
    let mut log_in = vec![0; 36];
    log_in[3] = 1;
    log_in.extend(b"ada\0\x02zz");
    log_in[0] = u8::try_from(log_in.len() - 4).unwrap();
    let query = b"\x09\0\0\0\x03SELECT 2".to_vec();
    let flow = stream(&[(SERVER, greeting), (CLIENT, log_in), (CLIENT, query)]);
    assert_snapshot!(told(&flow), @r"
    MySQL, Readable, from packet Some(2)
      version 8.0.1
    > User in 2: ada
    > Proof in 2: zz
    > Command in 3: SELECT 2
    ");
}

#[test]
fn stores() {
    let flow = stream(&[
        (CLIENT, "*2\r\n$4\r\nAUTH\r\n$4\r\npw12\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"),
        (SERVER, "+OK\r\n$5\r\nvalue\r\n"),
    ]);
    assert_snapshot!(told(&flow), @r"
    Redis, Readable, from packet Some(1)
    > Password in 1: pw12
    > Command in 1: GET k
    < Message in 2: value
    ");
    let flow = stream(&[
        (CLIENT, "set k 0 0 5\r\nvalue\r\nget k\r\n"),
        (SERVER, "STORED\r\nVALUE k 0 5\r\nvalue\r\nEND\r\n"),
    ]);
    assert_snapshot!(told(&flow), @r"
    memcached, Readable, from packet Some(1)
    > Name in 1: k
    > Message in 1: value
    > Command in 1: get k
    ");
}

#[test]
fn http2_with_prior_knowledge() {
    let mut client = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    client.extend(b"\0\0\0\x04\0\0\0\0\0");
    client.extend(b"\0\0\x12\0\x01\0\0\0\x01{\"password\": \"pw\"}");
    assert_snapshot!(told(&stream(&[(CLIENT, client)])), @r#"
    HTTP/2 without TLS, Readable, from packet Some(1)
    > Password in 1: pw
    > Message in 1: {"password": "pw"}
    "#);
}
