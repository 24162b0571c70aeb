//! One UDP datagram under every link layer, and what lies about its length.

use super::*;
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
    let ethernet = |tail: &[u8]| [&[2; 12], tail].concat();
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
    assert_eq!(surplus.tree.range("udp-surplus"), Some(30..33));
}

#[test]
fn a_length_of_zero_means_the_rest() {
    let mut data = ipv4();
    data[3] = 0;
    let packet = dissect(101, 0, &data);
    assert_eq!(payload(&packet, &data).as_deref(), Some(PAYLOAD));
    assert_eq!(packet.anomalies[0].rule, "ip.length-zero");
}

#[test]
fn every_cut_and_every_byte_is_accounted_for() {
    let whole = under(&[&[2; 12][..], &[0x81, 0, 0, 1, 0x86, 0xdd]].concat(), ipv6());
    for len in 0..whole.len() {
        for link_type in [0, 1, 101, 108, 113, 228, 276, 9_999] {
            let data = &whole[..len];
            assert_eq!(dissect(link_type, 0, data).tree.len(), len);
        }
    }
}
