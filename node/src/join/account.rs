//! What a person asks of their account, and how the answers read.

use crate::failure::Failure;
use crate::hub::split_word;
use crate::output::visible;
use node_proto::client::account::{AccountEvent, Ask, Device};
use serde_json::{Value, json};
use spec::binding::DeviceCode;
use spec::name::is_invisible;
use spec::wire::message::Refusal;

const USAGE: &str = "usage: /devices, /devices approve CODE, or /devices revoke NUMBER";

/// What `/devices` and what stands behind it ask for, or why it makes no sense.
pub(super) fn devices(rest: &str) -> Result<Ask, String> {
    let (word, rest) = split_word(rest);
    match word.to_lowercase().as_str() {
        "" => Ok(Ask::Devices),
        "approve" => DeviceCode::read(rest).map(Ask::Approve).ok_or_else(|| {
            "a code is the three words that the new device shows: /devices approve CODE".into()
        }),
        "revoke" => rest
            .trim()
            .parse()
            .map(Ask::Revoke)
            .map_err(|_| "/devices shows the number of each device: /devices revoke NUMBER".into()),
        _ => Err(USAGE.into()),
    }
}

/// The name of a device as it was typed.
pub(super) fn device_name(name: &str) -> Result<&str, Failure> {
    if name.chars().count() <= spec::limits::NAME_CHARS_MAX && !name.chars().any(is_invisible) {
        return Ok(name);
    }
    Err(Failure::new("a device has a name of at most 32 characters, none of them a control character")
        .advise("another --device")
        .code(crate::exit::USAGE))
}

/// An event in JSON and in words; a failure is a complaint.
pub(super) enum Told {
    /// Something happened.
    News(Value, String),
    /// Something did not.
    Complaint(String),
}

/// What an event says to the person called `name`.
pub(super) fn told(event: &AccountEvent, name: &str) -> Told {
    match event {
        AccountEvent::Code(code) => Told::News(
            json!({"event": "code", "code": code.to_string()}),
            format!("* on a device of {}: /devices approve {code}", visible(name)),
        ),
        AccountEvent::Devices { devices, is_asked } => {
            let lines: Vec<String> = devices.iter().map(line).collect();
            let head = if *is_asked { "your devices" } else { "your devices have changed" };
            Told::News(
                json!({"event": "devices", "asked": is_asked, "devices": devices.iter().map(value).collect::<Vec<_>>()}),
                format!("* {head}:\n{}", lines.join("\n")),
            )
        }
        AccountEvent::LoginRefused { wait_secs } => Told::Complaint(super::password::refusal(*wait_secs)),
        AccountEvent::Done(ask) => {
            let text = done(ask);
            Told::News(json!({"event": "done", "text": text}), format!("* {text}"))
        }
        AccountEvent::Refused { ask, reason } => Told::Complaint(refused(ask, *reason)),
    }
}

fn value(device: &Device) -> Value {
    let Device { number, name, since, is_revoked, is_connected, is_own } = device;
    json!({"number": number, "name": name, "since": since, "revoked": is_revoked,
        "connected": is_connected, "own": is_own})
}

fn line(device: &Device) -> String {
    let name = if device.name.is_empty() { "(no name)".to_owned() } else { visible(&device.name) };
    let state = match device {
        Device { is_revoked: true, .. } => ", revoked",
        Device { is_own: true, .. } => ", this one",
        Device { is_connected: true, .. } => ", connected",
        _ => "",
    };
    format!("{:>4}  {name}{state}", device.number)
}

fn done(ask: &Ask) -> String {
    match ask {
        Ask::Devices => "here they are".into(),
        Ask::Approve(_) => "the device is one of yours now".into(),
        Ask::Revoke(number) => format!("device {number} is revoked"),
        Ask::Password(_) => "the password is set: --password joins from elsewhere with it".into(),
    }
}

fn refused(ask: &Ask, reason: Refusal) -> String {
    match (reason, ask) {
        (Refusal::NoSuchDevice, Ask::Revoke(number)) => {
            format!("you have no device {number}: /devices lists them")
        }
        (Refusal::NoSuchCode, _) => "no device that wants to be one of yours shows this code".into(),
        (Refusal::OnlyDevice, _) => "it is your only device: without it you would be locked out".into(),
        (Refusal::TooManyDevices, _) => {
            "you have as many devices as one may have: /devices revoke one".into()
        }
        (Refusal::LogFull, _) => "the hub cannot store it".into(),
        _ => "the hub does not understand it".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_an_account() {
        let zero = DeviceCode(0);
        for (rest, expected) in [
            ("", Some(Ask::Devices)),
            ("approve abandon abandon abandon", Some(Ask::Approve(zero))),
            ("APPROVE Aban-aban-aban", Some(Ask::Approve(zero))),
            ("approve abandon", None),
            ("revoke 2", Some(Ask::Revoke(2))),
            ("revoke two", None),
            ("frobnicate", None),
        ] {
            assert_eq!(devices(rest).ok(), expected, "{rest}");
        }
    }

    #[test]
    fn how_devices_read() {
        let device = |number, name: &str, is_revoked, is_own| Device {
            number,
            name: name.into(),
            since: 0,
            is_revoked,
            is_connected: true,
            is_own,
        };
        let devices = vec![
            device(1, "", false, true),
            device(2, "lap\u{1b}top", true, false),
            device(3, "phone", false, false),
        ];
        let Told::News(_, text) = told(&AccountEvent::Devices { devices, is_asked: true }, "ann") else {
            panic!("a list is news")
        };
        insta::assert_snapshot!(text);
    }
}
