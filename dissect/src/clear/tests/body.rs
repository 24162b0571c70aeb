//! Compressed bodies, and the forms that secrets take in them.

use std::io::Write as _;

use insta::assert_snapshot;

use super::{CLIENT, SERVER, stream, told};

const TEXT: &[u8] = br#"{"user": "ada", "login": {"password": "hunter2"}, "n": [1, {"token": "t0k"}]}"#;

fn answer(coding: &str, body: &[u8]) -> Vec<(bool, Vec<u8>)> {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n", body.len());
    vec![(CLIENT, b"GET / HTTP/1.1\r\n\r\n".to_vec()), (SERVER, [head.as_bytes(), body].concat())]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_coding_is_opened() {
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(TEXT).unwrap();
    let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    raw.write_all(TEXT).unwrap();
    let zstd = ruzstd::encoding::compress_to_vec(TEXT, ruzstd::encoding::CompressionLevel::Fastest);
    // Stored blocks, by hand: a window of 16 bits, one meta-block of raw bytes, and the empty last one.
    let length = u32::try_from(TEXT.len() - 1).unwrap();
    let header = length << 4 | 1 << 20;
    let mut brotli = header.to_le_bytes()[..3].to_vec();
    brotli.extend(TEXT);
    brotli.push(3);
    for (coding, body) in [
        ("gzip", gzip(TEXT)),
        ("deflate", zlib.finish().unwrap()),
        ("deflate", raw.finish().unwrap()),
        ("zstd", zstd),
        ("br", brotli),
        ("identity", gzip(TEXT)),
    ] {
        let flow = stream(&answer(coding, &body));
        let revealed: Vec<String> = flow.secrets.iter().map(super::super::Secret::reveal).collect();
        assert!(revealed.contains(&"hunter2".to_owned()), "{coding}: {revealed:?}");
    }
}

#[test]
fn fields_of_json_and_multipart() {
    assert_snapshot!(told(&stream(&answer("gzip", &gzip(TEXT)))), @r#"
    HTTP, Readable, from packet Some(1)
      compressed body opened as Gzip
    > Url in 1: /
    < User in 2: ada
    < Token in 2: t0k
    < Password in 2: hunter2
    < Message in 2: {"user": "ada", "login": {"password": "hunter2"}, "n": [1, {"token": "t0k"}]}
    "#);
    let body = "--xyz\r\nContent-Disposition: form-data; name=\"passwd\"\r\n\r\nhunter2\r\n--xyz\r\n\
                Content-Disposition: form-data; name=\"note\"; filename=\"n.txt\"\r\n\r\nburn this\r\n--xyz--\r\n";
    let head = format!(
        "POST /up HTTP/1.0\r\nContent-Type: multipart/form-data; boundary=xyz\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    assert_snapshot!(told(&stream(&[(CLIENT, head + body)])), @r"
    HTTP, Readable, from packet Some(1)
    > Url in 1: /up
    > Password in 1: hunter2
    > Message in 1: burn this
    ");
}

#[test]
fn a_bomb_is_opened_up_to_the_bound() {
    let bomb = gzip(&vec![b'a'; 50 << 20]);
    assert!(bomb.len() < 64 << 10);
    let flow = stream(&answer("gzip", &bomb));
    assert_eq!(flow.secrets.last().unwrap().len_bytes, 1 << 20);
}
