//! One UDP datagram under every link layer, and what lies about its length.

use proptest::prelude::*;

use super::*;
use crate::dissection::{Protocol, Segment};
use crate::tree::Class;

const PAYLOAD: &[u8] = b"hello";

/// An IPv4 packet with a UDP datagram.
fn ipv4() -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 33, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    packet.extend([0, 7, 0, 9, 0, 13, 0, 0]);
    packet.extend(PAYLOAD);
    packet
}

/// An IPv6 packet with a hop-by-hop and a destination header before its UDP datagram.
fn ipv6() -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, 37, 0, 64];
    packet.extend([0x20; 32]);
    packet.extend([60, 0, 1, 4, 0, 0, 0, 0]);
    packet.extend([17, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    packet.extend([0, 7, 0, 9, 0, 13, 0, 0]);
    packet.extend(PAYLOAD);
    packet
}

fn under(header: &[u8], packet: Vec<u8>) -> Vec<u8> {
    [header, &packet].concat()
}

fn payload(packet: &Dissection, data: &[u8]) -> Option<Vec<u8>> {
    Some(data.get(packet.payload.clone()?)?.to_vec())
}

#[test]
fn a_datagram_is_found_under_every_link_layer() {
    let mut cooked = [0; 14].to_vec();
    cooked.extend([8, 0]);
    let mut cooked_2 = vec![8, 0];
    cooked_2.extend([0; 18]);
    let cases: [(u16, Vec<u8>); 16] = [
        (1, under(&ethernet(&[8, 0]), ipv4())),
        (1, under(&ethernet(&[0x86, 0xdd]), ipv6())),
        (1, under(&ethernet(&[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 0x91, 0, 0, 4, 8, 0]), ipv4())),
        (1, under(&ethernet(&[0, 41, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0]), ipv4())),
        (113, under(&cooked, ipv4())),
        (276, under(&cooked_2, ipv4())),
        (0, under(&[2, 0, 0, 0], ipv4())),
        (0, under(&[0, 0, 0, 2], ipv4())),
        (0, under(&[30, 0, 0, 0], ipv6())),
        (0, under(&[0x0f, 0, 8, 0], ipv4())),
        (108, under(&[0, 0, 0, 24], ipv6())),
        (12, ipv4()),
        (14, ipv6()),
        (101, ipv6()),
        (228, ipv4()),
        (229, ipv6()),
    ];
    for (link_type, data) in cases {
        let packet = dissect(link_type, 0, &data);
        assert_eq!(payload(&packet, &data).as_deref(), Some(PAYLOAD), "link type {link_type}: {packet:?}");
        assert_eq!(packet.tree.len(), data.len());
        assert_eq!(packet.anomalies, []);
    }
}

#[test]
fn padding_and_frame_check_sequence_are_trailer() {
    let mut data = under(&[&[2; 12][..], &[8, 0]].concat(), ipv4());
    let len = data.len();
    data.extend([0; 13]);
    let packet = dissect(1, 4, &data);
    assert_eq!(packet.tree.range("trailer"), Some(len..len + 13));
}

#[test]
fn lies_about_lengths_leave_bytes_unparsed() {
    let change = |at: usize, value: u8| {
        let mut data = ipv4();
        data[at] = value;
        dissect(101, 0, &data)
    };
    for (at, value, rule) in [
        (0, 0x55, "ip.version"),
        (0, 0x44, "ip.length"),
        (3, 10, "ip.length"),
        (6, 0x20, "ip.fragment"),
        (25, 14, "udp.length"),
        (25, 7, "udp.length"),
    ] {
        let packet = change(at, value);
        assert_eq!(packet.anomalies.last().map(|anomaly| anomaly.rule), Some(rule), "byte {at}");
        assert!(packet.tree.fields().iter().any(|field| field.class == Class::Unparsed), "byte {at}");
        assert_eq!(packet.tree.len(), 33);
    }
    // Bytes inside the IP packet and behind the datagram.
    let surplus = change(25, 10);
    assert_eq!(surplus.tree.range("udp.surplus"), Some(30..33));
}

#[test]
fn a_length_of_zero_means_the_rest() {
    let mut data = ipv4();
    data[3] = 0;
    let packet = dissect(101, 0, &data);
    assert_eq!(payload(&packet, &data).as_deref(), Some(PAYLOAD));
    assert_eq!(packet.anomalies[0].rule, "ip.length-zero");
}

/// The same datagram in a frame.
fn frame() -> Vec<u8> {
    under(&ethernet(&[8, 0]), ipv4())
}

fn ethernet(tail: &[u8]) -> Vec<u8> {
    [&[2; 12], tail].concat()
}

fn wlan(control: [u8; 2], tail: &[u8]) -> Vec<u8> {
    [&control[..], &[0; 22], tail].concat()
}

/// An IPv4 packet around a packet.
fn ip(next: u8, inner: Vec<u8>) -> Vec<u8> {
    let len = u8::try_from(20 + inner.len()).unwrap();
    under(&[0x45, 0, 0, len, 0, 0, 0, 0, 64, next, 0, 0, 9, 9, 9, 1, 9, 9, 9, 2], inner)
}

/// A UDP datagram around a packet.
fn udp(port: u16, inner: Vec<u8>) -> Vec<u8> {
    let len = u8::try_from(8 + inner.len()).unwrap();
    let [high, low] = port.to_be_bytes();
    ip(17, under(&[1, 1, high, low, 0, len, 0, 0], inner))
}

const SNAP: [u8; 8] = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];

fn assert_lead_to_the_datagram(cases: Vec<(&str, u16, Vec<u8>)>) {
    for (what, link_type, data) in cases {
        let packet = dissect(link_type, 0, &data);
        assert_eq!(payload(&packet, &data).as_deref(), Some(PAYLOAD), "{what}: {packet:?}");
        assert_eq!(packet.ends.unwrap().1.port, Some(9), "{what}");
        assert_eq!(packet.tree.len(), data.len(), "{what}");
        assert_eq!(packet.anomalies, [], "{what}");
    }
}

#[test]
fn link_layers_lead_to_the_datagram_inside() {
    assert_lead_to_the_datagram(vec![
        ("PPP", 9, under(&[0xff, 3, 0, 0x21], ipv4())),
        ("PPP, short protocol", 9, under(&[0x21], ipv4())),
        ("PPP in HDLC framing", 50, under(&[0xff, 3, 0, 0x57], ipv6())),
        ("Cisco HDLC", 50, under(&[0x0f, 0, 8, 0], ipv4())),
        ("PPPoE", 51, under(&[0x11, 0, 0, 1, 0, 35, 0, 0x21], ipv4())),
        ("PPPoE", 1, under(&ethernet(&[0x88, 0x64, 0x11, 0, 0, 1, 0, 35, 0, 0x21]), ipv4())),
        ("MPLS", 1, under(&ethernet(&[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64]), ipv4())),
        ("pseudowire", 1, under(&ethernet(&[0x88, 0x47, 0, 2, 1, 64, 0, 0, 0, 0]), frame())),
        ("pseudowire without control word", 1, under(&ethernet(&[0x88, 0x47, 0, 2, 1, 64]), frame())),
        ("802.1ah", 1, under(&ethernet(&[0x88, 0xe7, 0, 0, 0, 7]), frame())),
        ("VLAN around 802.3", 1, under(&ethernet(&[0x81, 0, 0, 1, 0, 41]), under(&SNAP, ipv4()))),
        ("802.11 to the access point", 105, under(&wlan([8, 1], &SNAP), ipv4())),
        ("802.11 relayed, with QoS", 105, under(&wlan([0x88, 3], &[&[0; 8][..], &SNAP].concat()), ipv4())),
        ("802.11 with QoS and HT", 105, under(&wlan([0x88, 0x80], &[&[0; 6][..], &SNAP].concat()), ipv4())),
        ("A-MSDU", 105, {
            let subframe = [&[7; 12][..], &[0, 41], &SNAP].concat();
            under(&wlan([0x88, 2], &[&[0x80, 0][..], &subframe].concat()), ipv4())
        }),
        ("radiotap, padded header", 127, {
            let radiotap = [0, 0, 9, 0, 2, 0, 0, 0, 0x20];
            let header = [&wlan([0x88, 1], &[0, 0, 0, 0])[..], &SNAP].concat();
            under(&[&radiotap[..], &header].concat(), ipv4())
        }),
        (
            "Prism",
            119,
            under(&[&[0x44, 0, 0, 0, 12, 0, 0, 0, 1, 2, 3, 4][..], &wlan([8, 2], &SNAP)].concat(), ipv4()),
        ),
        ("AVS", 163, under(&[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 8][..], &wlan([8, 0], &SNAP)].concat(), ipv4())),
        ("PPI", 192, under(&[&[0, 0, 8, 0, 105, 0, 0, 0][..], &wlan([8, 0], &SNAP)].concat(), ipv4())),
        ("PKTAP", 258, under(&[13, 0, 0, 0, 1, 0, 0, 0, 101, 0, 0, 0, 9], ipv4())),
        ("NFLOG, little-endian", 239, {
            let header = [2, 0, 0, 5, 5, 0, 10, 0, 0, 0, 0, 0, 37, 0, 9, 0];
            [under(&header, ipv4()), vec![0; 3]].concat()
        }),
        ("NFLOG, big-endian", 239, [under(&[2, 0, 0, 5, 0, 37, 0, 9], ipv4()), vec![0; 3]].concat()),
    ]);
}

#[test]
fn tunnels_lead_to_the_datagram_inside() {
    assert_lead_to_the_datagram(vec![
        ("IP in IP", 228, ip(4, ipv4())),
        ("IPv6 in IPv4", 228, ip(41, ipv6())),
        ("GRE", 228, ip(47, under(&[0, 0, 8, 0], ipv4()))),
        ("GRE with all", 228, ip(47, under(&[0xb0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2], ipv4()))),
        ("GRE around Ethernet", 228, ip(47, under(&[0, 0, 0x65, 0x58], frame()))),
        (
            "GRE around PPP",
            228,
            ip(47, under(&[0x30, 1, 0x88, 0x0b, 0, 35, 0, 1, 0, 0, 0, 1, 0, 0x21], ipv4())),
        ),
        ("VXLAN", 228, udp(4789, under(&[8, 0, 0, 0, 0, 0, 7, 0], frame()))),
        ("GTP-U", 228, udp(2152, under(&[0x30, 255, 0, 33, 0, 0, 0, 1], ipv4()))),
        ("GTP-U, extended", 228, {
            let header = [0x34, 255, 0, 41, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 9, 0];
            udp(2152, under(&header, ipv4()))
        }),
        (
            "authentication header",
            228,
            ip(51, under(&[17, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1], ipv4()[20..].to_vec())),
        ),
    ]);
}

#[test]
fn a_port_alone_makes_no_tunnel() {
    let mut data = ipv4();
    data[22..24].copy_from_slice(&4789u16.to_be_bytes());
    let packet = dissect(101, 0, &data);
    assert_eq!(payload(&packet, &data).as_deref(), Some(PAYLOAD));
    assert_eq!(packet.depth, 0);
}

#[test]
fn what_is_too_deep_is_unparsed() {
    let mut data = ipv4();
    for _ in 0..=crate::dissection::DEPTH_MAX {
        let len = u8::try_from(20 + data.len()).unwrap();
        data = under(&[0x45, 0, 0, len, 0, 0, 0, 0, 64, 4, 0, 0, 9, 9, 9, 1, 9, 9, 9, 2], data);
    }
    let packet = dissect(228, 0, &data);
    assert_eq!(packet.anomalies[0].rule, "link.depth");
    assert_eq!(packet.tree.range("unparsed").map(|range| range.len()), Some(33));
}

#[test]
fn frames_that_radios_encrypt_are_somebody_elses() {
    let data = [&[8, 0x41][..], &[0; 22], &[0, 0, 0, 0x20, 0, 0, 0, 0], b"sealed by others"].concat();
    let packet = dissect(105, 0, &data);
    assert_eq!(packet.anomalies[0].rule, "wlan.protected");
    assert_eq!(payload(&packet, &data).as_deref(), Some(&b"sealed by others"[..]));
    // A beacon, and an acknowledgment.
    for (control, header_len) in [(0x80, 24), (0xd4, 2)] {
        let packet = dissect(105, 0, &[control; 60]);
        assert_eq!(packet.protocol, Protocol::Wlan);
        assert_eq!(packet.tree.range("foreign"), Some(header_len..60));
    }
}

#[test]
fn further_packets_of_one_radio_frame_are_not_passed_over() {
    let subframe =
        |packet: Vec<u8>| under(&[&[7; 12][..], &[0, 41], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]].concat(), packet);
    let mut second = ipv4();
    second[12] = 99;
    let first = [subframe(ipv4()), vec![0]].concat();
    let data = [&[0x88, 2][..], &[0; 22], &[0x80, 0], &first, &subframe(second)].concat();
    let packet = dissect(105, 0, &data);
    assert_eq!(payload(&packet, &data).as_deref(), Some(PAYLOAD));
    assert_eq!(packet.ends.unwrap().0.ip.to_string(), "10.0.0.1");
    assert_eq!(packet.anomalies.last().map(|anomaly| anomaly.rule), Some("wlan.aggregate"));
    let last = packet.tree.fields().last().unwrap();
    assert_eq!((last.name, last.class, last.len), ("payload", Class::Unparsed, PAYLOAD.len()));
}

#[test]
fn a_frame_check_sequence_is_known_by_its_sum() {
    let frame = [under(&[&[2; 12][..], &[8, 0]].concat(), ipv4()), vec![0; 13]].concat();
    let mut crc = flate2::Crc::new();
    crc.update(&frame);
    let mut data = [&frame[..], &crc.sum().to_le_bytes()].concat();
    for fcs_len in [0, 4] {
        let packet = dissect(1, fcs_len, &data);
        assert_eq!(packet.tree.range("eth.fcs"), Some(60..64));
    }
    data[63] ^= 1;
    assert_eq!(dissect(1, 4, &data).tree.range("trailer"), Some(47..64));
}

#[test]
fn an_icmp_error_quotes_a_datagram() {
    let mut data = vec![0x45, 0, 0, 61, 0, 0, 0, 0, 64, 1, 0, 0, 9, 9, 9, 1, 9, 9, 9, 2];
    data.extend([3, 3, 0, 0, 0, 0, 0, 0]);
    data.extend(ipv4());
    let packet = dissect(228, 0, &data);
    assert_eq!(packet.protocol, Protocol::Icmp);
    assert_eq!(packet.ends.unwrap().0.ip.to_string(), "9.9.9.1");
    assert_eq!(packet.payload, None);
    assert_eq!(packet.tree.range("udp.dstport"), Some(50..52));
    assert_eq!(packet.tree.range("icmp.quote"), Some(56..61));
    assert_eq!(packet.anomalies[0].rule, "icmp.quote");
}

#[test]
fn a_segment_tells_its_numbers() {
    let mut data = vec![0x45, 0, 0, 49, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    data.extend([0, 7, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 0x60, 0x12, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1]);
    data.extend(PAYLOAD);
    let packet = dissect(228, 0, &data);
    let segment = Segment { sequence: 1, acknowledgment: 2, flags: Segment::SYN | Segment::ACK, window: 256 };
    assert_eq!(packet.segment, Some(segment));
    assert_eq!(packet.tree.range("tcp.options"), Some(40..44));
    assert_eq!(payload(&packet, &data).as_deref(), Some(PAYLOAD));
    // What the capture cut off leaves the ports known and the payload for those who search it.
    let cut = dissect(228, 0, &data[..47]);
    assert_eq!(cut.ends, packet.ends);
    assert_eq!((cut.payload, cut.cut_payload), (None, Some(44..47)));
}

#[test]
fn a_jumbogram_is_as_long_as_its_option_says() {
    const LEN: usize = 70_000;
    let mut data = vec![0x60, 0, 0, 0, 0, 0, 0, 64];
    data.extend([0x20; 32]);
    data.extend([17, 0, 0xc2, 4]);
    data.extend(u32::try_from(8 + 8 + LEN).unwrap().to_be_bytes());
    data.extend([0, 7, 0, 9, 0, 0, 0, 0]);
    data.extend(vec![b'a'; LEN]);
    let packet = dissect(229, 0, &data);
    assert_eq!(packet.payload.map(|range| range.len()), Some(LEN));
    assert_eq!(packet.anomalies, []);
}

#[test]
fn a_fragment_says_which() {
    let mut data = ipv4();
    data[4..8].copy_from_slice(&[1, 2, 0x20, 3]);
    let mut packet = dissect(228, 0, &data);
    assert_eq!(packet.tree.range("unparsed"), Some(20..33));
    packet.settle_fragment();
    assert_eq!((packet.tree.range("fragment"), packet.tree.len()), (Some(20..33), 33));
    let fragment = packet.fragment.unwrap();
    assert_eq!((fragment.id, fragment.offset, fragment.more, fragment.data), (0x0102, 24, true, 20..33));
}

const LINK_TYPES: [u16; 21] =
    [0, 1, 9, 12, 14, 50, 51, 101, 104, 105, 108, 113, 119, 127, 163, 192, 228, 229, 239, 258, 276];

#[test]
fn every_cut_is_accounted_for() {
    let whole = under(&[&[2; 12][..], &[0x81, 0, 0, 1, 0x86, 0xdd]].concat(), ipv6());
    for len in 0..whole.len() {
        for link_type in LINK_TYPES.into_iter().chain([9_999]) {
            let data = &whole[..len];
            assert_eq!(dissect(link_type, 0, data).tree.len(), len);
        }
    }
}

/// Bytes that occur in headers more often than chance has it, so that random packets get deep.
fn header_byte() -> impl Strategy<Value = u8> {
    let marks = [
        0, 1, 2, 3, 4, 6, 8, 9, 17, 20, 33, 40, 41, 43, 44, 47, 51, 60, 0x45, 0x60, 0x81, 0x86, 0x88, 0xaa,
        0xc2, 0xdd, 0xff, 0x47, 0x64, 0x65, 0x58, 0x12, 0xb5,
    ];
    prop_oneof![3 => proptest::sample::select(marks.to_vec()), 1 => any::<u8>()]
}

proptest! {
    #[test]
    fn every_byte_is_in_one_field(
        link_type in proptest::sample::select(LINK_TYPES.to_vec()),
        fcs_len in 0..6usize,
        data in proptest::collection::vec(header_byte(), 0..200),
    ) {
        let packet = dissect(link_type, fcs_len, &data);
        prop_assert_eq!(packet.tree.len(), data.len());
        for range in packet.payload.iter().chain(&packet.cut_payload) {
            prop_assert!(range.start <= range.end && range.end <= data.len());
        }
        prop_assert!(packet.payload.is_none() || packet.cut_payload.is_none());
        prop_assert!(packet.depth <= crate::dissection::DEPTH_MAX);
    }
}
