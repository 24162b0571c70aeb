//! Every number of the protocol, unit in the name. Source: the section of PROTOCOL.md named above each group.

use core::time::Duration;

// Long datagrams.

/// Length of INIT, RESP, FIN and KEYREQ.
pub const LONG_DATAGRAM_BYTES: usize = 1200;
/// Length of RETRY, KEY and VERSION.
pub const LONG_ANSWER_BYTES: usize = 128;
/// Length of form, version and attempt id.
pub const LONG_HEADER_BYTES: usize = 13;
/// Length of mac1 and of mac2.
pub const MAC_BYTES: usize = 16;
/// Length of the body of a 1200-byte LONG datagram.
pub const LONG_BODY_BYTES: usize = 1155;
/// Length of the body of a 128-byte LONG datagram.
pub const ANSWER_BODY_BYTES: usize = 99;

// Handshake.

/// Length of an X25519 key or result.
pub const KEY_BYTES: usize = 32;
/// Length of an AES-256-GCM tag.
pub const TAG_BYTES: usize = 16;
/// Length of an ML-KEM-768 encapsulation key (FIPS 203 table 3).
pub const KEM_KEY_BYTES: usize = 1184;
/// Length of an ML-KEM-768 ciphertext (FIPS 203 table 3).
pub const KEM_CIPHERTEXT_BYTES: usize = 1088;
/// Length of Noise message 1: two INIT bodies.
pub const MESSAGE_ONE_BYTES: usize = 2310;
/// Length of the payload of message 1.
pub const PAYLOAD_ONE_BYTES: usize = 2262;
/// Length of Noise message 2, behind the ML-KEM ciphertext.
pub const MESSAGE_TWO_BYTES: usize = 67;
/// Length of the payload of message 2.
pub const PAYLOAD_TWO_BYTES: usize = 19;
/// Length of the payload of message 3.
pub const PAYLOAD_THREE_BYTES: usize = 1091;

/// Time after which the client repeats its flight.
pub const FLIGHT_REPEAT: Duration = Duration::from_millis(250);
/// Time after its first INIT at which the client gives up an attempt without RESP.
pub const ATTEMPT_WITHOUT_RESP: Duration = Duration::from_secs(3);
/// Time after its first FIN at which the client gives up an attempt without an answer.
pub const ATTEMPT_WITHOUT_ANSWER: Duration = Duration::from_secs(5);
/// RESP datagrams a client works on in a second.
pub const RESP_PER_SECOND: u32 = 32;
/// Time a fragment or a half-open handshake is kept.
pub const HALF_OPEN_TIME: Duration = Duration::from_secs(5);
/// Half-open handshakes, and fragment slots, of a hub.
pub const HALF_OPEN_MAX: usize = 4096;
/// The share of a table that one /24 or /64 may take: one part in this many.
pub const PREFIX_SHARE: usize = 8;
/// Candidates a fragment index may have.
pub const FRAGMENT_CANDIDATES: usize = 2;
/// Messages 1 a hub remembers to have answered.
pub const ANSWERED_MAX: usize = 65_536;
/// Time after which the cookie secret is replaced.
pub const COOKIE_SECRET_TIME: Duration = Duration::from_secs(120);

// Short datagrams.

/// Length of a connection id.
pub const CONNECTION_ID_BYTES: usize = 8;
/// Shortest SHORT datagram: header with a one-byte number, three bytes and a tag, so that a sample exists.
pub const SHORT_DATAGRAM_BYTES_MIN: usize = 29;
/// Lengths that packet number and frames are padded to.
pub const BUCKETS_BYTES: [usize; 10] = [68, 132, 260, 516, 1028, 1175, 1207, 1347, 1407, 1427];
/// Longest datagram on a path that was not tried.
pub const DATAGRAM_BYTES: usize = 1200;
/// Longest datagram at all: what Ethernet leaves of 1500 bytes under IPv6 and UDP.
pub const DATAGRAM_BYTES_MAX: usize = 1452;
/// Packet numbers the replay window remembers.
pub const REPLAY_WINDOW: u64 = 2048;
/// Connection ids a receiver accepts at a time.
pub const CONNECTION_ID_WINDOW: usize = 5;
/// Sessions that may share a connection id.
pub const SHARING_MAX: usize = 4;
/// Silence after which a sender moves to its next connection id.
pub const CONNECTION_ID_IDLE: Duration = Duration::from_secs(15 * 60);
/// Packets that may be sealed under one key (RFC 9001 section 6.6).
pub const SEALED_PER_KEY_MAX: u64 = 1 << 23;
/// Packets that may fail to open in one generation (RFC 9147 section 4.5.3).
pub const FAILED_OPENS_MAX: u64 = 1 << 36;

// Key updates and Ratchet.

/// Packets under one key after which a sender moves to the next epoch.
pub const UPDATE_PACKETS: u64 = 1 << 20;
/// Bytes under one key after which a sender moves to the next epoch.
pub const UPDATE_BYTES: u64 = 1 << 30;
/// Time under one key after which a sender moves to the next epoch.
pub const UPDATE_TIME: Duration = Duration::from_secs(15 * 60);
/// Probe time-outs for which the keys and ids before a change still open packets.
pub const KEPT_PROBE_TIMEOUTS: u32 = 3;
/// Time after which the client begins a ratchet.
pub const RATCHET_TIME: Duration = Duration::from_secs(15 * 60);
/// Time after which a ratchet has an ML-KEM secret in it.
pub const KEM_RATCHET_TIME: Duration = Duration::from_secs(60 * 60);
/// Time in which a hub answers one RATCHET_REQ of a session.
pub const RATCHET_ANSWER_TIME: Duration = Duration::from_secs(60);
/// Time after which the receiving keys of a generation go once the next is made.
pub const GENERATION_KEPT: Duration = Duration::from_secs(60);
/// Packets that fail to open in one generation before the client begins a ratchet at once.
pub const FAILED_OPENS_RATCHET: u64 = 1 << 35;

// Paths.

/// Times an address is asked whether the client is there.
pub const CHALLENGES_MAX: u32 = 3;
/// Bytes sent to an address that is not valid for each byte that came from it (RFC 9000 section 8).
pub const UNPROVEN_FACTOR: u64 = 3;
/// Answers to PATH_CHALLENGE that wait.
pub const PATH_RESPONSES_MAX: usize = 2;

// Ephemeral messages.

/// Messages of a room kept for readers whose window is closed.
pub const EPHEMERAL_MAX: usize = 64;
/// Time between two messages of a client that the hub passes on.
pub const EPHEMERAL_EVERY: Duration = Duration::from_secs(1);

// Bulk.

/// Bytes of a blob beyond what is written that a receiver takes: with a quarter of it used up before more is told of,
/// still as many as [`RECEIVE_WINDOW_PACKETS`] packets carry in a round trip.
pub const BULK_WINDOW_BYTES: u64 = 1 << 21;
/// Gaps of a blob that a receiver keeps account of.
pub const BULK_GAPS_MAX: usize = 256;
/// Transfers of a session.
pub const TRANSFERS_MAX: usize = 4;
/// Bytes that are read of a blob at a time.
pub const PIECE_BYTES: u64 = 65_536;
/// Pieces read before they are needed.
pub const PIECES_AHEAD: u64 = 2;
/// Pieces of a transfer in memory: those ahead, the present one, and some to say again from.
pub const PIECES_KEPT: usize = 8;

// Frames.

/// Further ranges of an ACK.
pub const ACK_RANGES_MAX: usize = 32;
/// Packets beyond the largest acknowledged that a receiver takes.
pub const RECEIVE_WINDOW_PACKETS: u64 = 1024;
/// Packets a sender may have sent before the first ACK.
pub const FIRST_WINDOW_PACKETS: u64 = 64;
/// Limit of a stream before any MAX_STREAM.
pub const STREAM_LIMIT_BYTES: u64 = 131_072;
/// Largest stream id.
pub const STREAM_ID_MAX: u64 = 1 << 32;
/// Streams of a session.
pub const STREAMS_MAX: usize = 128;
/// Gaps held for all streams of a session.
pub const REASSEMBLY_GAPS_MAX: usize = 64;
/// Bytes held for all streams of a session.
pub const REASSEMBLY_BYTES_MAX: usize = 262_144;
/// Bytes of a room's entries that a client holds until their turn: what a hub may have on its way, for the five round
/// trips that it may take to fill a gap.
pub const ENTRIES_HOLD_BYTES_MAX: usize = 8 << 20;

// Loss recovery (RFC 9002) and closing.

/// Packets after which an earlier one counts as lost (RFC 9002 section 6.1.1).
pub const PACKET_THRESHOLD: u64 = 3;
/// Round-trip time before the first sample (RFC 9002 section 6.2.2).
pub const INITIAL_RTT: Duration = Duration::from_millis(333);
/// Granularity of timers (RFC 9002 section 6.1.2).
pub const TIMER_GRANULARITY: Duration = Duration::from_millis(1);
/// Longest delay of an acknowledgement.
pub const ACK_DELAY_MAX: Duration = Duration::from_millis(25);
/// Ack-eliciting packets after which an acknowledgement is sent, among the first [`ACK_OFTEN_PACKETS`].
pub const ACK_EVERY_FIRST_PACKETS: u32 = 2;
/// Ack-eliciting packets of a session during which its peer learns what the path carries.
pub const ACK_OFTEN_PACKETS: u64 = 64;
/// Ack-eliciting packets after which an acknowledgement is sent later.
pub const ACK_EVERY_PACKETS: u32 = 16;
/// Longest probe time-out while the peer has been silent for less than [`PROBE_QUICK_TIME`].
pub const PROBE_QUICK_MAX: Duration = Duration::from_millis(250);
/// Silence during which probes stay quick.
pub const PROBE_QUICK_TIME: Duration = Duration::from_secs(3);
/// Time without an ack-eliciting packet after which the client sends a PING.
pub const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// Silence after which the hub forgets a session.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Time an endpoint repeats CLOSE without an acknowledgement.
pub const CLOSE_TIME: Duration = Duration::from_secs(3);

// Application messages.

/// Bytes of a control message.
pub const CONTROL_MESSAGE_BYTES_MAX: usize = 65_536;
/// Characters of a room's topic.
pub const TOPIC_CHARS_MAX: usize = 300;
/// Bytes of the words of a search.
pub const WORDS_BYTES_MAX: usize = 1_024;
/// Bytes of text in an entry.
pub const BODY_BYTES_MAX: usize = 65_536;
/// Bytes of a submission behind its length: id, kind and body.
pub const SUBMISSION_BYTES_MAX: usize = 16 + 1 + BODY_BYTES_MAX;
/// Characters of a name.
pub const NAME_CHARS_MAX: usize = 32;

const _: () = {
    assert!(LONG_HEADER_BYTES + LONG_BODY_BYTES + 2 * MAC_BYTES == LONG_DATAGRAM_BYTES);
    assert!(LONG_HEADER_BYTES + ANSWER_BODY_BYTES + MAC_BYTES == LONG_ANSWER_BYTES);
    assert!(MESSAGE_ONE_BYTES == 2 * LONG_BODY_BYTES);
    assert!(MESSAGE_ONE_BYTES == KEY_BYTES + PAYLOAD_ONE_BYTES + TAG_BYTES);
    assert!(MESSAGE_TWO_BYTES == KEY_BYTES + PAYLOAD_TWO_BYTES + TAG_BYTES);
    assert!(KEM_CIPHERTEXT_BYTES + MESSAGE_TWO_BYTES == LONG_BODY_BYTES);
    assert!(KEY_BYTES + TAG_BYTES + PAYLOAD_THREE_BYTES + TAG_BYTES == LONG_BODY_BYTES);
    assert!(1 + CONNECTION_ID_BYTES + BUCKETS_BYTES[5] + TAG_BYTES == DATAGRAM_BYTES);
    assert!(1 + CONNECTION_ID_BYTES + BUCKETS_BYTES[9] + TAG_BYTES == DATAGRAM_BYTES_MAX);
    assert!(BULK_WINDOW_BYTES / 4 * 3 >= RECEIVE_WINDOW_PACKETS * DATAGRAM_BYTES_MAX as u64);
    assert!(SUBMISSION_BYTES_MAX as u64 + 8 < STREAM_LIMIT_BYTES);
};
