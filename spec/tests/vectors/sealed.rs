//! What needs keys: gates, the key schedule, LONG datagrams and SHORT datagrams.
//!
//! Keys that a type keeps to itself are compared by what they do.

use super::case::{Case, Refusal, Verdict};
use super::show;
use data_encoding::HEXLOWER as HEX;
use spec::crypto::{aes_block, expand_label, extract, hmac, open, sha256};
use spec::discard::Discard;
use spec::gate::{Cookie, Gate, psk0};
use spec::key_schedule::{DirectionKeys, Root};
use spec::limits::CONNECTION_ID_WINDOW;
use spec::number;
use spec::seal::{Opened, Opener, Sealer};
use spec::secret::Secret;
use spec::wire::frame::{Frames, Side};
use spec::wire::long::{AttemptId, Long, LongKind, field, is_long};
use spec::wire::short::{self, ShortHeader};
use spec::{VERSION, fingerprint};
use std::net::{IpAddr, SocketAddr};

pub(crate) fn gate(case: &Case) -> Verdict {
    let (hub_key, access_secret) = (case.array("hub-key"), case.secret("access-secret"));
    let gate = Gate::new(&hub_key, &access_secret);
    case.gives_bytes("gate", extract(&hub_key, access_secret.expose()).expose());

    let datagram = gate.build(LongKind::Init, 0, 0, VERSION, AttemptId([1; 8]), &[2; 1155]);
    let init = Long::parse(&datagram)?;
    assert_eq!(init.mac1, hmac(&case.bytes("gate-mac"), &[init.before_mac1]).expose()[..16]);
    assert_eq!(init.mac2.unwrap(), hmac(&case.bytes("gate-idle"), &[&init.mac1]).expose()[..16]);

    let (salt, cookie) =
        ([3; 32], Cookie::for_address(&Secret::new([4; 32]), "192.0.2.1:5".parse().unwrap()));
    let datagram = gate.build_retry(AttemptId([1; 8]), &init.mac1, &cookie, salt, 0);
    let retry = Long::parse(&datagram)?;
    let seal: Secret<44> = expand_label(&case.secret("cookie-seal"), "retry", &salt);
    let (key, iv) = seal.expose().split_first_chunk::<32>().unwrap();
    let (sealed, tag) = retry.body[32..].split_last_chunk::<16>().unwrap();
    open(&Secret::new(*key), iv.try_into().unwrap(), &init.mac1, &mut sealed.to_vec(), tag).unwrap();

    case.gives_bytes("psk0", psk0(&access_secret).expose());
    case.gives_bytes("fingerprint", &sha256(&[b"sgm1 fp", &hub_key]));
    case.gives("words", fingerprint::words(&hub_key));
    Ok(())
}

pub(crate) fn key_schedule(case: &Case) -> Verdict {
    let root = Root::from_handshake(&case.array("h"), &case.secret("k-c"), &case.secret("k-h"));
    case.gives_bytes("root0", root.secret().expose());
    let (label, context) = (case.text("exporter-label"), case.bytes("exporter-context"));
    let exported = root.exporter().export(label, &context);
    case.gives_bytes("exporter", exported.expose());
    assert_eq!(exported, expand_label(&case.secret("exp"), label, &sha256(&[&context])));

    for (sender, prefix) in [(Side::Client, "c"), (Side::Hub, "h")] {
        let key = |name: &str| format!("{prefix}-{name}");
        let direction = root.direction(sender);
        case.gives_bytes(&key("hp"), direction.header.expose());
        for (epoch, traffic) in [direction.traffic.clone(), direction.traffic.next()].iter().enumerate() {
            case.gives_bytes(&key(&format!("secret{epoch}")), traffic.secret().expose());
            case.gives_bytes(&key(&format!("key{epoch}")), traffic.packet_key().key.expose());
            case.gives_bytes(&key(&format!("iv{epoch}")), &traffic.packet_key().nonce(0));
        }
        let ids: Vec<_> = (0..6).map(|index| HEX.encode(&direction.ids.id(index).0)).collect();
        case.gives(&key("ids"), ids.join(" "));
        let mut block = [0; 16];
        block[0] = u8::from(sender == Side::Hub);
        assert_eq!(HEX.encode(&aes_block(&case.secret(&key("cid")), block)[..8]), ids[0]);
    }
    Ok(())
}

/// Checks a LONG datagram as its receiver does; `cookie` is the one a busy hub insists on.
pub(crate) fn check_long<'a>(
    gate: &Gate,
    datagram: &'a [u8],
    cookie: Option<&Cookie>,
) -> Result<Long<'a>, Refusal> {
    let long = Long::parse(datagram);
    if !datagram.is_empty() && !is_long(datagram) {
        assert!(long.is_err());
        return Err(Refusal(&["form"]));
    }
    let long = long?;
    let strangers = Gate::for_strangers();
    let gate = if long.kind.is_for_strangers() { &strangers } else { gate };
    gate.check_mac1(&long)?;
    match (cookie, long.mac2) {
        (Some(cookie), Some(mac2)) if cookie.mac2(long.before_mac2) != mac2 => {
            return Err(Discard::Mac2.into());
        }
        (Some(_), _) => {}
        (None, _) => gate.check_idle_mac2(&long)?,
    }
    // Which versions are spoken is the endpoint's to know; here it is the one of this crate.
    let any_version = long.kind == LongKind::Version;
    if any_version || long.version == VERSION { Ok(long) } else { Err(Refusal(&["version"])) }
}

pub(crate) fn long(case: &Case) -> Verdict {
    let gate = Gate::new(&case.array("hub-key"), &case.secret("access-secret"));
    let datagram = case.bytes("datagram");
    let init_mac1 = case.has("init-mac1").then(|| case.array("init-mac1"));
    let cookie = case.has("cookie-secret").then(|| {
        let address = SocketAddr::new(case.parse::<IpAddr>("address"), case.parse("port"));
        Cookie::for_address(&case.secret("cookie-secret"), address)
    });
    let long = check_long(&gate, &datagram, cookie.as_ref())?;
    let opened = init_mac1.map(|mac1| gate.open_retry(&long, &mac1)).transpose()?;

    let reserved = datagram[field::FIRST] & 0b11;
    case.gives("type", long.kind.name());
    case.gives("fragment", long.fragment);
    case.gives("reserved", reserved);
    case.gives_bytes("version", &long.version);
    case.gives_bytes("attempt-id", &long.attempt.0);
    case.gives_bytes("mac1", &long.mac1);
    if let Some(mac2) = long.mac2 {
        case.gives_bytes("mac2", &mac2);
    }
    match long.kind {
        LongKind::Key => case.gives_bytes("key", &long.body[..32]),
        LongKind::Version => {
            let versions = long.body[..16].chunks(4).filter(|version| **version != [0; 4]);
            case.gives("versions", versions.map(|version| HEX.encode(version)).collect::<Vec<_>>().join(" "));
        }
        _ => {}
    }

    let gate = if long.kind.is_for_strangers() { Gate::for_strangers() } else { gate };
    let mut built = gate.build(long.kind, long.fragment, reserved, long.version, long.attempt, long.body);
    match (long.kind, cookie) {
        (LongKind::Retry, Some(cookie)) => {
            let (mac1, salt) = (init_mac1.unwrap(), case.array("salt"));
            assert_eq!(opened.as_ref(), Some(&cookie));
            assert_eq!(cookie.mac2(b""), hmac(&case.bytes("cookie"), &[]).expose()[..16]);
            built = gate.build_retry(long.attempt, &mac1, &cookie, salt, reserved);
        }
        (_, Some(cookie)) => built[field::MAC2].copy_from_slice(&cookie.mac2(long.before_mac2)),
        (_, None) => {}
    }
    case.rebuilds("datagram", &built);
    Ok(())
}

/// A receiver that has opened a packet of each epoch up to `epoch`, the last of them numbered `largest`.
fn opener_in(keys: &DirectionKeys, epoch: u64, largest: Option<u64>) -> Opener {
    let (mut opener, mut sealer) = (Opener::new(keys), Sealer::new(keys));
    for before in 1..=epoch {
        sealer.update();
        let number = if before < epoch { before } else { largest.unwrap() };
        let (epoch, id) = (sealer.epoch_bits(), keys.ids.id(0));
        let header = ShortHeader { epoch, number_len: 4, reserved: 0, id, number };
        let mut datagram = Vec::new();
        header.encode(&mut datagram);
        sealer.seal(&header, &mut datagram, 0).unwrap();
        opener.open(&mut datagram, None).unwrap();
    }
    opener
}

pub(crate) fn datagram(case: &Case) -> Verdict {
    let sender = case.side("direction");
    let keys = Root::from_key_log(case.secret("root0")).direction(sender);
    let (highest, largest): (u64, _) = (case.parse("highest-index"), case.number("largest-received"));
    let highest_epoch = case.parse("highest-epoch");
    let (mut datagram, buildable) = (case.bytes("datagram"), case.is_buildable());

    let id = short::connection_id(&datagram).ok_or(Discard::Length)?;
    if !short::is_short(&datagram) {
        return Err(Refusal(&["form"]));
    }
    let mut accepted = highest..highest + CONNECTION_ID_WINDOW as u64;
    let index = accepted.find(|index| keys.ids.id(*index) == id).ok_or(Refusal(&["connection id"]))?;
    let mut opener = opener_in(&keys, highest_epoch, largest);
    let Opened { header, frames, epoch } = opener.open(&mut datagram, largest)?;
    let frames = Frames::parse(&datagram[frames], sender)?;

    case.gives("connection-index", index);
    case.gives("reserved", header.reserved);
    case.gives("number", header.number);
    case.gives("epoch", epoch);
    case.gives_lines("frame", &frames.iter().map(|frame| show::frame(&frame)).collect::<Vec<_>>());
    if buildable {
        let number_len = number::encoded_len(header.number, case.number("largest-acknowledged"));
        let ShortHeader { reserved, number, .. } = header;
        let mut sealer = Sealer::new(&keys);
        (0..epoch).for_each(|_| sealer.update());
        let header =
            ShortHeader { epoch: sealer.epoch_bits(), number_len, reserved, id: keys.ids.id(index), number };
        let mut built = Vec::new();
        header.encode(&mut built);
        built.extend(case.bytes("payload"));
        sealer.seal(&header, &mut built, 0).unwrap();
        case.rebuilds("datagram", &built);
    }
    Ok(())
}
