//! Two loops on loopback: what is sent arrives as it was sent, and answers leave from where they were asked.

use super::{DATAGRAMS_PER_TURN, Wires, bind, connect};
use crate::capture::Capture;
use node_proto::transmit::{Arrival, Ecn, Path, Transmit};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

/// A loop over a wildcard socket, and one that is connected to it by `ip`.
fn pair(ip: &str) -> (Wires, Wires) {
    let hub = Wires::new(vec![bind("0.0.0.0:0".parse().unwrap()).unwrap()], None).unwrap();
    let address = SocketAddr::new(ip.parse().unwrap(), hub.locals()[0].port());
    let client = Wires::new(vec![connect(address).unwrap()], None).unwrap();
    (hub, client)
}

fn to_hub(hub: &Wires, segment_bytes: usize) -> Transmit {
    let remote = SocketAddr::new("127.0.0.1".parse().unwrap(), hub.locals()[0].port());
    Transmit { segment_bytes, ..Transmit::one(Path::new(remote, 0), 0) }
}

/// Datagrams as they arrive, `count` of them.
fn receive(wires: &mut Wires, count: usize) -> Vec<(Arrival, Vec<u8>)> {
    let mut received = Vec::new();
    while received.len() < count {
        let before = received.len();
        wires.wait(Some(PATIENCE)).unwrap();
        wires.receive(|arrival, datagram| received.push((arrival, datagram.to_vec())));
        assert!(received.len() - before <= DATAGRAMS_PER_TURN, "a turn has an end");
    }
    received
}

/// `count` datagrams of `len` bytes, each of another byte, and a shorter one.
fn run(count: u8, len: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..count).flat_map(|number| vec![number; len]).collect();
    bytes.extend(vec![count; len / 2]);
    bytes
}

#[test]
fn a_run_arrives_datagram_by_datagram_with_its_mark() {
    for ecn in [Ecn::NotEct, Ecn::Ect0, Ecn::Ect1, Ecn::Ce] {
        let (mut hub, mut client) = pair("127.0.0.1");
        let bytes = run(100, 1200);
        client.send(&Transmit { ecn, ..to_hub(&hub, 1200) }, &bytes);
        let received = receive(&mut hub, 101);
        let path = Path { remote: client.locals()[0], socket: 0, local: Some("127.0.0.1".parse().unwrap()) };
        for ((arrival, datagram), sent) in received.iter().zip(bytes.chunks(1200)) {
            assert_eq!(*arrival, Arrival { path, ecn });
            assert_eq!(datagram, sent);
        }
    }
}

#[test]
fn a_flood_is_taken_a_turn_at_a_time_and_none_of_it_is_lost() {
    let (mut hub, mut client) = pair("127.0.0.1");
    for _ in 0..10 {
        client.send(&to_hub(&hub, 100), &run(100, 100));
    }
    assert_eq!(receive(&mut hub, 1010).len(), 1010);
}

/// Both addresses are ours, and whoever asks at one and is answered from the other hears nothing.
#[test]
fn an_answer_leaves_from_the_address_that_was_asked() {
    for ip in ["127.0.0.1", "127.0.0.2"] {
        let (mut hub, mut client) = pair(ip);
        let asked = SocketAddr::new(ip.parse().unwrap(), hub.locals()[0].port());
        client.send(&Transmit::one(Path::new(asked, 0), 8), b"question");
        let (arrival, _) = receive(&mut hub, 1).remove(0);
        assert_eq!(arrival.path.local, Some(ip.parse().unwrap()));
        hub.send(&Transmit::one(arrival.path, 6), b"answer");
        let (arrival, answer) = receive(&mut client, 1).remove(0);
        assert_eq!(answer, b"answer");
        assert_eq!(arrival.path.remote.ip(), ip.parse::<IpAddr>().unwrap());
    }
}

/// One path whose address of ours is gone costs the others neither runs nor marks.
#[test]
fn an_address_that_is_gone_harms_nobody_else() {
    let (mut hub, _) = pair("127.0.0.1");
    let mut path = Path::new("127.0.0.1:9".parse().unwrap(), 0);
    path.local = Some("192.0.2.1".parse().unwrap());
    hub.send(&Transmit::one(path, 4), b"gone");
    path.local = None;
    let mut marked = Wires::new(vec![bind("127.0.0.1:0".parse().unwrap()).unwrap()], None).unwrap();
    path.remote = marked.locals()[0];
    hub.send(&Transmit { path, ecn: Ecn::Ect0, segment_bytes: 4 }, b"one.two.");
    let received = receive(&mut marked, 2);
    assert!(received.iter().all(|(arrival, _)| arrival.ecn == Ecn::Ect0), "{received:?}");
}

/// Longer than the link takes: lost, as a search for its MTU expects, and what comes after is not.
#[test]
fn a_datagram_that_is_too_long_is_lost_alone() {
    let (mut hub, mut client) = pair("127.0.0.1");
    let transmit = to_hub(&hub, 66_000);
    client.send(&transmit, &vec![1; 66_000]);
    client.send(&Transmit { segment_bytes: 5, ..transmit }, b"after");
    assert_eq!(receive(&mut hub, 1).remove(0).1, b"after");
}

/// The capture shows each datagram of a run alone, in order, with the addresses it had.
#[test]
fn a_capture_shows_what_was_on_the_wire() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.pcapng");
    let socket = bind("0.0.0.0:0".parse().unwrap()).unwrap();
    let mut hub = Wires::new(vec![socket], Some(Capture::open(&file).unwrap())).unwrap();
    let address = SocketAddr::new("127.0.0.2".parse().unwrap(), hub.locals()[0].port());
    let mut client = Wires::new(vec![connect(address).unwrap()], None).unwrap();
    client.send(&Transmit { segment_bytes: 100, ..Transmit::one(Path::new(address, 0), 0) }, &run(3, 100));
    let (arrival, _) = receive(&mut hub, 4).remove(0);
    hub.send(&Transmit { segment_bytes: 50, ..Transmit::one(arrival.path, 0) }, &run(1, 50));
    hub.flush_capture();
    let bytes = std::fs::read(&file).unwrap();
    let expected = [(b"\x00\x00", 100), (b"\x01\x01", 100), (b"\x02\x02", 100), (b"\x03\x03", 50)]
        .map(|(start, len)| (client.locals()[0], address, start, len));
    let answers =
        [(b"\x00\x00", 50), (b"\x01\x01", 25)].map(|(start, len)| (address, client.locals()[0], start, len));
    let mut rest = &bytes[..];
    for (from, to, start, len) in expected.into_iter().chain(answers) {
        let headers = ip_and_udp(from, to, len);
        let at =
            rest.windows(headers.len()).position(|window| window == headers).expect("it is in its place");
        let payload = &rest[at + headers.len() + 2..];
        assert_eq!(&payload[..2], start);
        rest = payload;
    }
}

/// The addresses of an IPv4 packet, and its UDP header up to the checksum.
fn ip_and_udp(from: SocketAddr, to: SocketAddr, len: u16) -> Vec<u8> {
    let octets = |address: SocketAddr| match address.ip() {
        IpAddr::V4(ip) => ip.octets(),
        IpAddr::V6(_) => unreachable!("the tests use IPv4"),
    };
    let words = [from.port(), to.port(), len + 8].map(u16::to_be_bytes).concat();
    [&octets(from)[..], &octets(to), &words].concat()
}

/// Says to the test below that it runs in a network of its own.
const IN_NETWORK: &str = "SEALGRAM_TEST_NETWORK";

/// What a full socket does not take leaves when there is room, whole and in order. A neighbour that nobody knows
/// fills it: its datagrams wait in the kernel until it is found.
#[cfg(target_os = "linux")]
#[test]
fn what_there_is_no_room_for_leaves_later() {
    if std::env::var_os(IN_NETWORK).is_some() {
        return fill_a_socket();
    }
    let name = format!("sgm-room-{}", std::process::id());
    if !ip(&format!("netns add {name}")) {
        println!("skipped: ip");
        return;
    }
    let mut again = std::process::Command::new("ip");
    again.args(["netns", "exec", &name]).arg(std::env::current_exe().unwrap());
    again.args(["--exact", "net::tests::what_there_is_no_room_for_leaves_later", "--nocapture"]);
    let output = again.env(IN_NETWORK, "1").output().unwrap();
    assert!(ip(&format!("netns del {name}")));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(target_os = "linux")]
fn fill_a_socket() {
    assert!(ip("link add near type veth peer name far") && ip("addr add 10.77.0.1/24 dev near"));
    assert!(ip("link set near up") && ip("link set far up"));
    let socket = bind("10.77.0.1:0".parse().unwrap()).unwrap();
    socket2::SockRef::from(&socket).set_send_buffer_size(1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sent.pcapng");
    let mut wires = Wires::new(vec![socket], Some(Capture::open(&file).unwrap())).unwrap();
    let transmit = Transmit::one(Path::new("10.77.0.2:9".parse().unwrap(), 0), 1000);
    let count = std::iter::from_fn(|| {
        wires.send(&transmit, &run(2, 1000));
        wires.has_room().then_some(())
    });
    let count = count.take(100).count() + 1;
    assert!(count <= 100, "it is never full");
    assert!(ip("neigh replace 10.77.0.2 lladdr 02:00:00:00:00:02 dev near"));
    for _ in 0..10 {
        if !wires.has_room() {
            wires.wait(Some(PATIENCE / 10)).unwrap();
        }
    }
    assert!(wires.has_room(), "what waited has left");
    wires.flush_capture();
    let bytes = std::fs::read(&file).unwrap();
    let lens = |len: u16| (len + 8).to_be_bytes();
    let [whole, half] = [1000, 500].map(lens).map(|len| {
        let header = [&[0, 9][..], &len].concat();
        bytes.windows(4).filter(|window| *window == header).count()
    });
    assert_eq!((whole, half), (2 * count, count), "each run left whole");
}

#[cfg(target_os = "linux")]
fn ip(arguments: &str) -> bool {
    let output = std::process::Command::new("ip").args(arguments.split(' ')).output();
    output.is_ok_and(|output| output.status.success())
}
