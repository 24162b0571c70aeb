//! What an observer of made-up sessions is told.

use super::*;

const CLIENT: Endpoint =
    Endpoint { ip: std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)), port: Some(1) };
const HUB: Endpoint =
    Endpoint { ip: std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2)), port: Some(2) };

fn report(datagrams: &[(Kind, bool, i128, Vec<u8>)]) -> MetadataReport {
    let mut observer = Observer::new();
    for (kind, from_client, milliseconds, payload) in datagrams {
        observer.observe(&Observation {
            kind: *kind,
            from_client: *from_client,
            client: CLIENT,
            hub: HUB,
            time_ns: Some(milliseconds * 1_000_000),
            payload,
        });
    }
    observer.finish()
}

#[test]
fn lengths_times_and_ends() {
    let short = |from_client, at, len| (Kind::Short, from_client, at, vec![0x40; len]);
    let report = report(&[
        short(true, 0, 93),
        short(true, 10, 157),
        short(false, 12, 93),
        short(true, 1_000, 93),
        short(true, 1_001, 157),
        short(true, 1_003, 100),
    ]);
    let clients = &report.from_clients;
    assert_eq!((clients.datagrams, clients.bursts, clients.longest_burst), (5, 2, 3));
    assert!((clients.length_entropy_bits - 1.522).abs() < 0.001, "{clients:?}");
    assert_eq!((report.short, report.short_of_other_lengths), (6, 1));
    assert_eq!(report.talks[0].traffic, Traffic { datagrams: 6, bytes: 93 * 3 + 157 * 2 + 100 });
    assert!(
        report.sentences().iter().any(|sentence| sentence.contains("1 of 6 SHORT datagrams are not padded"))
    );
}

#[test]
fn what_headers_could_hide() {
    let id = |id: u8| [&[0x40][..], &[id; 8], &[0; 84]].concat();
    let init = vec![1; 1200];
    let report = report(&[
        (Kind::Init(0), true, 0, init.clone()),
        (Kind::Init(0), true, 250, init),
        (Kind::Resp, false, 251, vec![2; 1200]),
        (Kind::Short, true, 300, id(1)),
        (Kind::Short, true, 300, id(1)),
        (Kind::Short, true, 300, id(2)),
        (Kind::Short, true, 300, id(2)),
    ]);
    // An INIT has a key, two MACs and two reserved bits, a RESP a KEM ciphertext too; a repeated one adds nothing.
    let init_bits = 251.0 + 2.0 * 128.0 + 2.0;
    assert!(
        (report.covert.handshake_bits.blind - (init_bits + init_bits + 8704.0)).abs() < 1e-9,
        "{report:?}"
    );
    assert!(
        (report.covert.handshake_bits.keyed - (init_bits + init_bits + 256.0)).abs() < 1e-9,
        "{report:?}"
    );
    assert_eq!(report.covert.connection_ids, 2);
    // Two reserved bits, epoch, length and number are masked; keys show what most of them must be.
    let steady = report.covert.steady_bits_per_packet;
    assert!((steady.blind - (2.0 + 2.0 + 2.0 + 32.0 + 2.0 * 64.0 / 4.0)).abs() < 1e-9, "{steady:?}");
    assert!((steady.keyed - (2.0 + 2.0 + 1.0)).abs() < 1e-9, "{steady:?}");
}
